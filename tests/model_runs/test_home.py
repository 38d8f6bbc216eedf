"""The first page: what strangers and members read, the sample without scripts, and what it all costs."""

from __future__ import annotations

import html
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys.models import ApiKey
from apps.api_keys.services import revoke_key, rotate_key
from apps.api_keys.usage.selectors import count_runs
from apps.model_runs import services
from apps.model_runs.models import ModelRun, Status
from apps.model_runs.wellness.interface import DIMENSIONS
from helios_site.env import Rate
from helios_site.runtime.demo_client import sample_recording
from helios_site.storage import object_store
from tests.budgets.test_helios_queries import fill, shapes
from tests.conftest import MakeKey
from tests.contract.healos.calls import content_of
from tests.model_runs.conftest import FAILED, MakeRun
from tests.model_runs.results import RICH
from tests.model_runs.test_full_disk import refusing
from tests.model_runs.test_uploads import open_full
from tests.pages import INLINE

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(organization: Organization) -> SignIn:
    def enter(role: str = "member") -> Client:
        user = User.objects.create_user(f"{role}@example.org")
        Membership.objects.create(organization=organization, user=user, role=role)
        client = Client()
        client.force_login(user)
        return client

    return enter


def text_of(answer: Any, status: int = 200) -> str:
    """What a reader sees: without tags, white space as one."""
    assert answer.status_code == status, answer.content
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split()))


@pytest.mark.parametrize(
    ("signup", "said", "leads_to_sign_up"),
    [("open", "Sign up", True), ("invite", "by invitation", False), ("closed", "Nobody can sign up here", False)],
)
def test_strangers_read_what_helios_is_and_how_to_get_in(
    client: Client, settings: Any, signup: str, said: str, leads_to_sign_up: bool
) -> None:
    settings.HELIOS_SIGNUP, settings.HELIOS_MIN_SPEECH_SECONDS = signup, 12.5
    with CaptureQueriesContext(connection) as captured:
        answer = client.get("/")
    assert "no diagnosis" in text_of(answer)
    assert "at least 12.5 seconds of speech" in text_of(answer)
    assert said in text_of(answer)
    links = re.findall(r'href="(/[a-z-]*)"', answer.content.decode())
    assert ("/signup" in links) == leads_to_sign_up
    assert {"/login", "/docs", "/api-reference"} <= set(links)
    assert len(captured) == 0


def test_members_and_admins_read_how_to_begin_and_what_happened_lately(
    sign_in: SignIn,
    make_key: MakeKey,
    make_finished: MakeRun,
    make_running: MakeRun,
    other_organization: Organization,
    settings: Any,
) -> None:
    make_key(organization=other_organization)
    key, raw_key = make_key()
    make_finished(user_label="person-1")
    make_finished(user_label="person-2", analysis=FAILED)
    make_running(user_label="of-another-clinic", organization=other_organization)
    waiting = make_running(user_label="person-3")
    settings.HELIOS_MIN_SPEECH_SECONDS = 20
    for role in ("member", "admin"):
        answer = sign_in(role).get("/")
        text = text_of(answer)
        page = answer.content.decode()
        assert f"export HELIOS_KEY='{key.key_prefix}…'" in text
        assert raw_key not in page
        assert "export HELIOS_URL='http://127.0.0.1:8000'" in text
        assert "at least 20 seconds of speech" in text
        assert "Higher is worse" in text
        assert f"You are {'an admin' if role == 'admin' else 'a member'} here." in text
        assert re.search(r"person-3 Being scored .* person-2 Not scored .* person-1 Scored ", text)
        assert f'data-run="{waiting.id}"' in page
        assert "of-another-clinic" not in page
        assert "runs scored in the last 7 days 1 runs not scored 1" in text
        assert not INLINE.search(page)
        assert "no-store" in answer["Cache-Control"]
        assert '<a href="/" aria-current="page">Home</a>' in page
        last = AuditEvent.objects.latest("id")
        assert (last.action, last.actor_type) == ("model_run.listed", "user")


def test_without_a_live_key_admins_are_led_to_one_and_members_to_an_admin(
    sign_in: SignIn, make_key: MakeKey, organization: Organization
) -> None:
    admin, member = sign_in("admin"), sign_in("member")
    assert 'href="/first-key"' in admin.get("/").content.decode()
    assert "has no live key that may create and read runs. Ask an admin for one" in text_of(member.get("/"))
    assert "There is no run yet." in text_of(member.get("/"))
    expired, _ = make_key()
    ApiKey.objects.filter(id=expired.id).update(expires_at=timezone.now())
    revoked, _ = make_key()
    revoke_key(actor=SYSTEM, key_id=revoked.id, reason="test")
    make_key(scopes=["patients:read", "model_runs:read"])
    assert "None of your organisation's keys is live and may create and read runs." in text_of(admin.get("/"))
    assert "has no live key that may create and read runs. Ask an admin for one" in text_of(member.get("/"))
    old, _ = make_key()
    new, _ = rotate_key(actor=SYSTEM, key_id=old.id, grace_seconds=60)
    make_key(scopes=["model_runs:write"])
    assert f"{new.key_prefix}…" in text_of(member.get("/")), "the newest may not read what it created"
    narrow, _ = make_key(scopes=["model_runs:write", "model_runs:read"])
    assert f"{narrow.key_prefix}…" in text_of(member.get("/"))
    assert old.key_prefix not in text_of(member.get("/"))


def test_staff_without_an_organisation_are_led_to_the_admin(admin: Client) -> None:
    answer = admin.get("/")
    assert answer.status_code == 403
    assert 'href="/admin/"' in answer.content.decode()


# -- the sample -------------------------------------------------------------------------------------------


def test_without_scripts_the_button_makes_the_run_and_leads_to_its_page(
    sign_in: SignIn, organization: Organization
) -> None:
    answer = sign_in().post("/sample-run")
    run = ModelRun.objects.get()
    assert answer["Location"] == f"/runs/{run.id}"
    assert (run.organization, run.status, run.user_label) == (organization, Status.RUNNING, "sample")
    assert (run.date_of_birth, run.language, run.created_by_key) == (date(1990, 1, 1), "en-GB", None)
    with object_store().local_path(run.recording_key) as path:
        assert path.read_bytes() == sample_recording().read_bytes()
    created, received = AuditEvent.objects.order_by("id")
    assert (created.action, created.actor_type) == ("model_run.created", "user")
    assert received.action == "model_run.recording_received"


def test_it_takes_the_english_that_the_operator_allows(sign_in: SignIn, settings: Any) -> None:
    settings.HELIOS_LANGUAGES = ("de-DE", "en-US")
    sign_in().post("/sample-run")
    assert ModelRun.objects.get().language == "en-US"


def test_whoever_presses_too_often_is_told_to_wait(sign_in: SignIn, settings: Any) -> None:
    settings.HELIOS_RATE_LIMIT = Rate(1, 60)
    member = sign_in()
    assert member.post("/sample-run").status_code == 302
    assert re.search(r"Too often\. Try again in \d+ seconds\.", text_of(member.post("/sample-run"), 429))
    assert ModelRun.objects.count() == 1


def test_a_full_disk_is_told_with_what_to_do(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    member = sign_in()
    with monkeypatch.context() as patch:
        patch.setattr("helios_site.storage.local.open", open_full, raising=False)
        assert "Tell its operator, then try again." in text_of(member.post("/sample-run"), 507)
    assert ModelRun.objects.get().status == Status.CREATED
    with refusing("model_runs_modelrun"):  # the disk of the database
        assert "Tell its operator, then try again." in text_of(member.post("/sample-run"), 507)
    assert member.post("/sample-run").status_code == 302


def test_the_page_uploads_the_very_recording_which_strangers_do_not_get(sign_in: SignIn) -> None:
    answer = sign_in().get("/sample.wav")
    assert answer["Content-Type"] == "audio/wav"
    assert content_of(answer) == sample_recording().read_bytes()
    assert Client().get("/sample.wav")["Location"] == "/login?next=/sample.wav"


# -- what it costs ----------------------------------------------------------------------------------------


def fill_usage(days: int) -> None:
    """Of every organisation."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO api_keys_usageday (organization_id, day, requests_2xx, requests_4xx, requests_429,"
            " requests_5xx, runs_ok, runs_error) SELECT id, current_date - n, 0, 0, 0, 0, 2, 1"
            " FROM accounts_organization CROSS JOIN generate_series(1, %s) AS n",
            [days],
        )
        cursor.execute("ANALYZE api_keys_usageday")


def test_it_costs_the_same_however_many_runs_there_are(
    sign_in: SignIn, make_key: MakeKey, organization: Organization
) -> None:
    make_key()
    member = sign_in()
    few: list[str] | None = None
    for rows in (10, 100_000):
        fill(organization, rows)
        with CaptureQueriesContext(connection) as captured:
            assert member.get("/").status_code == 200
        few = few or shapes(captured)
        assert shapes(captured) == few
    assert few is not None
    assert len(few) <= 8, few


def test_its_counts_are_read_by_an_index(organization: Organization) -> None:
    Organization.objects.bulk_create([Organization(name=f"Clinic {number}") for number in range(50)])
    fill_usage(days=400)
    today = timezone.now().date()
    with CaptureQueriesContext(connection) as captured:
        assert count_runs(organization.pk, today - timedelta(days=6), today) == (12, 6)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + captured.captured_queries[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "usage_once" in plan, plan
    assert "Seq Scan" not in plan, plan


# -- the lines to copy ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_lines_of_python_do_what_they_say(
    live_server: Any, settings: Any, sign_in: SignIn, make_key: MakeKey, tmp_path: Path
) -> None:
    settings.HELIOS_PUBLIC_BASE_URL = live_server.url
    key, raw_key = make_key()
    lines = lines_of(sign_in().get("/").content.decode(), "python").replace(f"{key.key_prefix}…", raw_key)
    (tmp_path / "recording.wav").write_bytes(b"RIFF")
    command = [sys.executable, "-W", "error", "-c", lines]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as program:
        score_the_one_run()
        said, _ = program.communicate(timeout=30)
    assert program.returncode == 0, said
    assert RICH.scores is not None
    shown = {name: value for name, value in RICH.scores.items() if name not in DIMENSIONS}
    assert {name: float(value) for name, value in map(str.split, said.decode().splitlines())} == shown
    run = ModelRun.objects.get()
    assert (run.user_label, run.created_by_key) == ("person-1", key)


def lines_of(page: str, language: str) -> str:
    found = re.search(rf'<code id="quick-start-{language}">(.*?)</code>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def score_the_one_run() -> None:
    """As a worker does it, as soon as its recording is there."""
    deadline = time.monotonic() + 30
    while not (waiting := ModelRun.objects.filter(status=Status.RUNNING).first()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    claim = services.claim_run(run_id=waiting.id)
    assert claim is not None
    assert services.finish_run(claim=claim, analysis=RICH)

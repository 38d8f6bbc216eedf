"""The pages of runs: what they say, to whom, what they leave on the record, and what they cost."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.model_runs.models import ModelRun, WellnessModelVersion
from apps.model_runs.serializers import run_body
from apps.model_runs.services import erase_due_data
from apps.patients.models import Patient
from apps.patients.services import delete_patient
from tests.budgets.test_helios_queries import fill
from tests.model_runs.conftest import FAILED, MakeRun
from tests.model_runs.results import ALARMING, OUTLINE, RICH, shifted
from tests.pages import page_text
from tests.patients.people import make_patient

pytestmark = pytest.mark.django_db
SignIn = Callable[[Organization], Client]


@pytest.fixture
def sign_in() -> SignIn:
    def enter(organization: Organization) -> Client:
        user = User.objects.create_user(f"{uuid4().hex}@example.org")
        Membership.objects.create(organization=organization, user=user, role="member")
        client = Client()
        client.force_login(user)
        return client

    return enter


@pytest.fixture
def member(sign_in: SignIn, organization: Organization) -> Client:
    return sign_in(organization)


def text_of(answer: Any) -> str:
    """What a reader sees: without tags, white space as one."""
    assert answer.status_code == 200, answer.content
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def on_record(client: Client, path: str) -> list[str]:
    """The events that a GET of `path` leaves, oldest first."""
    last = AuditEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    assert client.get(path).status_code == 200
    return list(AuditEvent.objects.filter(id__gt=last).order_by("id").values_list("action", flat=True))


def days_ago(run: ModelRun, days: int) -> None:
    moment = timezone.now() - timedelta(days=days)
    ModelRun.objects.filter(id=run.id).update(completed_at=moment, run_at=moment, created_at=moment)


def make_story(make_finished: MakeRun, patient: Patient | None = None, label: str = "person-1") -> ModelRun:
    """A person's run after six earlier ones on six days."""
    for day in range(6):
        days_ago(make_finished(user_label=label, analysis=shifted(-0.02 * (day % 3))), 7 - day)
    run = make_finished(user_label=label, analysis=RICH)
    if patient is not None:
        ModelRun.objects.filter(user_label=label).update(patient=patient)
    run.refresh_from_db()
    return run


def test_the_page_says_the_scores_their_doubt_their_reasons_and_the_recording(
    member: Client, make_finished: MakeRun
) -> None:
    run = make_finished(analysis=RICH)
    answer = member.get(f"/runs/{run.id}")
    text, html = text_of(answer), answer.content.decode()
    for said in (
        "person-1",
        RICH.transcript,
        "Before you read the scores The loudest parts of the recording are cut off.",
        "Distress 0.62",
        "0.47 to 0.82, medium confidence",
        "Evidence: acted_proxy , recordings of actors who played a related emotion",
        "measured 4.1 st, usual 2.1 to 3.5 st",
        "“I slept badly” The person spoke of this state",
        "Quality of the recording: fair",
        "speech 17.5 dB above it",
        "0.02 % of the samples",
        "37.4 s of speech",
        "They are no diagnosis",
        "that is no sign of safety",
        "This is the first reading of this person",
        "scored by model 2026.11-test",
        "among a reference group of women, from 0 to 1",
        "Higher is worse",
        "In the JSON these are mentalStrain and the five that begin with uniform",
        "Date of birth 1990-08-24 Birth sex Female Language en-GB Consent not asked for on a page of Helios",
    ):
        assert said in text, said
    assert html.index('id="warnings"') < html.index('id="scores"') < html.index('id="why"'), "warnings come first"
    assert "no-store" in answer["Cache-Control"]
    drawings = re.findall(r"<svg[^>]*>", html)
    assert len(drawings) >= 6 + 4 + 2 + 2
    assert all('role="img"' in drawing and re.search(r'aria-label="[^"]{10}', drawing) for drawing in drawings)
    # What the drawings show stands in tables, too.
    assert re.search(r"2\.2</td>\s*<td class=\"number\">19\.8", html)
    assert "0.6200" in text


def test_a_run_says_what_text_was_agreed_to_and_a_failed_one_names_no_model(
    member: Client, make_finished: MakeRun
) -> None:
    run = make_finished(analysis=replace(FAILED, model_version="2026.11-test"), birth_sex="UNKNOWN")
    ModelRun.objects.update(consent_version="7", consented_at=datetime(2026, 3, 4, 5, 6, tzinfo=UTC))
    text = text_of(member.get(f"/runs/{run.id}"))
    assert "Birth sex Not known" in text
    assert re.search(r"Consent to version 7 of the text, 2026-03-04", text), text
    assert "scored by model" not in text


@pytest.mark.parametrize("sex", ["UNKNOWN", "INTERSEX"])
def test_who_is_neither_is_compared_with_both(member: Client, make_finished: MakeRun, sex: str) -> None:
    text = text_of(member.get(f"/runs/{make_finished(analysis=RICH, birth_sex=sex).id}"))
    assert "among a reference group of women and men, from 0 to 1" in text


def test_statements_about_self_harm_come_before_everything(member: Client, make_finished: MakeRun) -> None:
    html = member.get(f"/runs/{make_finished(analysis=ALARMING).id}").content.decode()
    assert html.index("phrase-canary") < html.index('id="warnings"') < html.index('id="scores"')
    assert "Statements about self-harm were found" not in html, "it is said once"


def test_nothing_is_inline(member: Client, make_finished: MakeRun) -> None:
    for path in (f"/runs/{make_story(make_finished).id}", "/runs"):
        html = member.get(path).content.decode()
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", html) == []
        assert all("src=" in script for script in re.findall(r"<script[^>]*>", html))
        assert len(html) < 150_000


@pytest.mark.parametrize("linked", [False, True])
def test_the_history_is_the_person_s_with_the_band_of_what_is_usual(
    member: Client, organization: Organization, make_finished: MakeRun, linked: bool
) -> None:
    make_finished(user_label="somebody else", analysis=shifted(0.2))
    run = make_story(make_finished, make_patient(organization) if linked else None)
    answer = member.get(f"/runs/{run.id}")
    assert "is within what is usual for this person" in text_of(answer)
    html = answer.content.decode()
    assert html.count('class="band"') == 6
    assert len(re.findall(r"<th scope=\"row\">\d{4}-\d\d-\d\d", html)) == 7, "no reading of anybody else"
    first = ModelRun.objects.filter(user_label="person-1").earliest("created_at")
    assert 'class="band"' not in member.get(f"/runs/{first.id}").content.decode(), "later readings are not known yet"


def test_the_history_of_a_deleted_patient_is_not_shown(
    member: Client, organization: Organization, make_finished: MakeRun
) -> None:
    patient = make_patient(organization)
    run = make_story(make_finished, patient)
    delete_patient(actor=SYSTEM, organization_id=organization.id, patient_id=patient.pk)
    answer = member.get(f"/runs/{run.id}")
    assert "The patient was deleted." in text_of(answer)
    assert 'class="band"' not in answer.content.decode()
    assert on_record(member, f"/runs/{run.id}") == ["model_run.read"]


def test_runs_from_before_the_drawings_were_kept_have_a_page(member: Client, make_finished: MakeRun) -> None:
    run = make_finished(user_label="old")  # has no confidence, evidence, explanation and outline either
    text = text_of(member.get(f"/runs/{run.id}"))
    assert "before drawings of the recording were kept" in text
    assert "Mental strain 0.40" in text


def test_failed_and_unfinished_runs_say_what_to_do(
    member: Client, make_run: MakeRun, make_running: MakeRun, make_finished: MakeRun
) -> None:
    failed = text_of(member.get(f"/runs/{make_finished(analysis=FAILED).id}"))
    assert "This run has no scores" in failed
    assert FAILED.error_reason is not None
    assert FAILED.error_reason in failed
    assert "Record again in a new run" in failed
    assert "Date of birth 1990-08-24" in failed
    assert "Nothing was uploaded yet" in text_of(member.get(f"/runs/{make_run().id}"))
    assert "a worker scores it" in text_of(member.get(f"/runs/{make_running().id}"))


def test_reads_are_on_the_record_as_the_api_s(
    member: Client, organization: Organization, make_finished: MakeRun, make_running: MakeRun
) -> None:
    run = make_finished(analysis=RICH)
    assert on_record(member, "/runs") == ["model_run.listed"]
    assert on_record(member, f"/runs/{run.id}") == ["model_run.read", "model_run.history_read"]
    assert on_record(member, f"/runs/{run.id}.json") == ["model_run.read"]
    assert on_record(member, f"/runs/{run.id}.csv") == ["model_run.read"]
    ModelRun.objects.filter(id=run.id).update(patient=make_patient(organization))
    assert on_record(member, f"/runs/{run.id}") == ["model_run.read", "patient.wellness_read"]
    assert on_record(member, f"/runs/{make_finished(analysis=FAILED).id}") == ["model_run.read"]
    waiting = make_running()
    assert on_record(member, f"/runs/{waiting.id}") == [], "it has no results to read"
    assert on_record(member, f"/runs/status?id={waiting.id}") == []
    read = AuditEvent.objects.filter(action="model_run.read", object_id=str(run.id)).latest("id")
    assert (read.actor_type, read.organization_id) == ("user", organization.id)


def test_another_organisation_s_run_is_as_a_missing_one(
    sign_in: SignIn, member: Client, other_organization: Organization, make_finished: MakeRun
) -> None:
    run, stranger = make_finished(analysis=RICH), sign_in(other_organization)
    for ending in ("", ".json", ".csv", "/model-card"):
        foreign, missing = stranger.get(f"/runs/{run.id}{ending}"), stranger.get(f"/runs/{uuid4()}{ending}")
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert page_text(foreign) == page_text(missing)
        assert {name for name, value in foreign.items() if missing.get(name) != value} <= {"X-Request-ID"}
        assert member.get(f"/runs/{run.id}{ending}").status_code == 200
    assert stranger.get(f"/runs/status?id={run.id}").json() == {}
    assert "person-1" not in stranger.get("/runs").content.decode()
    assert not AuditEvent.objects.filter(action="model_run.read", organization_id=other_organization.id).exists()


def test_what_was_erased_is_on_no_page_and_in_no_download(member: Client, make_finished: MakeRun) -> None:
    run = make_finished(analysis=RICH, delete_data=True, data_to_delete=("RESULTS",))
    days_ago(run, 1)
    for ending in ("", ".json", ".csv"):
        assert member.get(f"/runs/{run.id}{ending}").status_code == 404, "to the second, before the job came by"
    assert str(run.id) not in member.get("/runs").content.decode()
    assert ModelRun.objects.get(id=run.id).outline == OUTLINE
    assert erase_due_data() == 1
    assert ModelRun.objects.get(id=run.id).outline is None

    anonymous = make_finished(analysis=RICH, delete_data=True, data_to_delete=("INPUTS",))
    days_ago(anonymous, 1)
    assert erase_due_data() == 1
    text = text_of(member.get(f"/runs/{anonymous.id}"))
    assert RICH.transcript in text
    assert "among its reference group" in text
    assert "Date of birth not given, or erased Birth sex not given, or erased" in text


def test_the_json_is_the_api_s(member: Client, make_finished: MakeRun) -> None:
    run = make_finished(analysis=RICH)
    answer = member.get(f"/runs/{run.id}.json")
    assert json.loads(answer.content) == run_body(ModelRun.objects.values().get(id=run.id))
    assert answer["Content-Disposition"] == f'attachment; filename="helios-run-{run.id}.json"'


def test_the_csv_has_a_line_a_score_and_no_formula(member: Client, make_finished: MakeRun) -> None:
    run = make_finished(analysis=RICH, user_label="=HYPERLINK(A1)")
    answer = member.get(f"/runs/{run.id}.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [line["score"] for line in lines] == [
        "mentalStrain", "distress", "stress", "exhaustion", "sleepPropensity", "lowSelfEsteem",
    ]  # fmt: skip
    assert lines[1].items() >= {
        "model_run_id": str(run.id), "user_label": "'=HYPERLINK(A1)", "value": "0.62", "bucket": "0.66",
        "confidence": "MEDIUM", "evidence": "acted_proxy", "model_version": "2026.11-test",
    }.items()  # fmt: skip
    assert float(lines[1]["low"]) == pytest.approx(0.47)
    failed = member.get(f"/runs/{make_finished(analysis=FAILED).id}.csv").content.decode()
    assert failed.splitlines() == [",".join(lines[0])]


def test_the_list_is_narrowed_and_goes_on_by_place(
    member: Client, organization: Organization, make_run: MakeRun, make_finished: MakeRun
) -> None:
    fill(organization, 60)
    linked = make_finished(user_label="Ada <b>", analysis=RICH)
    patient = make_patient(organization)
    ModelRun.objects.filter(id=linked.id).update(patient=patient)
    make_run(user_label="Ada <b>")

    def ids(query: str) -> list[str]:
        return re.findall(r'href="/runs/([0-9a-f-]{36})"', member.get(f"/runs{query}").content.decode())

    everything = [str(run.id) for run in ModelRun.objects.order_by("-created_at", "-id")]
    assert ids("") == everything[:50]
    older = re.search(r'href="/runs\?(cursor=[^"]+)"', member.get("/runs").content.decode())
    assert older is not None
    make_run()  # moves no run to another page
    assert ids(f"?{older[1]}") == everything[50:]
    page = member.get(f"/runs?{older[1]}&status=CREATED&zone=Europe/Oslo").content.decode()
    assert '<a href="/runs?status=CREATED&amp;zone=Europe%2FOslo">Newest</a>' in page
    assert '<a href="/runs">Newest</a>' in member.get(f"/runs?{older[1]}").content.decode()
    assert len(ids("?userLabel=Ada+%3Cb%3E&status=&patientId=")) == 2
    assert ids("?userLabel=Ada+%3Cb%3E&status=COMPLETE_OK") == [str(linked.id)]
    assert ids(f"?patientId={patient.pk}") == [str(linked.id)]
    html = member.get("/runs?userLabel=Ada+%3Cb%3E").content.decode()
    assert "Ada &lt;b&gt;" in html
    assert "<b>" not in html
    assert "No run fits" in text_of(member.get("/runs?userLabel=nobody"))


def test_the_list_is_narrowed_by_the_reader_s_days_and_by_reason(
    member: Client, make_run: MakeRun, make_finished: MakeRun
) -> None:
    def made(at: str, run: ModelRun) -> str:
        ModelRun.objects.filter(id=run.id).update(created_at=datetime.fromisoformat(at))
        return str(run.id)

    def ids(query: str) -> list[str]:
        answer = member.get(f"/runs?{query}")
        assert answer.status_code == 200
        return re.findall(r'href="/runs/([0-9a-f-]{36})"', answer.content.decode())

    before = made("2026-03-01T10:59:59Z", make_run())  # in Auckland a second before the second of March
    first = made("2026-03-01T11:00:00Z", make_run())
    last = made("2026-03-02T10:59:59Z", make_finished(analysis=FAILED))
    after = made("2026-03-02T11:00:00Z", make_run())
    assert ids("from=2026-03-02&to=2026-03-02&zone=Pacific/Auckland") == [last, first]
    assert ids("from=2026-03-02&zone=Pacific/Auckland") == [after, last, first]
    assert ids("from=2026-03-02&to=2026-03-02&zone=UTC") == [after, last]
    assert ids("to=2026-03-01") == [first, before], "UTC where no zone is named"
    assert ids("error=ERR_RECORDING_TOO_SHORT") == [last]
    assert ids("error=ERR_RECORDING_TOO_LONG") == []
    assert "Too little speech" in text_of(member.get("/runs"))
    assert ids("from=&to=&error=&status=&zone=Europe%2FOslo") == [after, last, first, before]


@pytest.mark.parametrize(
    "query",
    [
        "status=DONE", "patientId=x", "cursor=x", f"userLabel={'x' * 51}", "userLabel=%00", "from=yesterday",
        "to=9999-12-31", "from=0001-01-01&zone=Asia/Tokyo", "from=2026-01-01&zone=/etc/passwd", "error=ERR",
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_says_why(member: Client, query: str) -> None:
    answer = member.get(f"/runs?{query}")
    assert answer.status_code == 400
    assert "cannot be looked for" in answer.content.decode()


def test_states_are_told_of_those_runs_that_are_there(
    member: Client, make_running: MakeRun, make_finished: MakeRun
) -> None:
    running, finished = make_running(), make_finished(analysis=RICH)
    answer = member.get("/runs/status", {"id": [str(running.id), str(finished.id), str(uuid4()), "x"]})
    assert answer.json() == {
        str(running.id): {"status": "RUNNING", "words": "Being scored"},
        str(finished.id): {"status": "COMPLETE_OK", "words": "Scored"},
    }


def test_the_card_is_the_one_of_the_run_s_model(member: Client, make_finished: MakeRun) -> None:
    run = make_finished(analysis=RICH)
    shipped = member.get(f"/runs/{run.id}/model-card")
    assert "Model card: Helios wellness model" in text_of(shipped)
    assert "no-store" in shipped["Cache-Control"]
    WellnessModelVersion.objects.create(
        version=str(RICH.model_version), content="{}", sha256="", card="Trained at <us>.", created_by="system"
    )
    assert "Trained at &lt;us&gt;." in text_of(member.get(f"/runs/{run.id}/model-card"))


def test_pages_cost_the_same_however_many_runs_there_are(
    member: Client, organization: Organization, make_finished: MakeRun
) -> None:
    run = make_story(make_finished)
    ModelRun.objects.filter(id=run.id).update(user_label="person 7")

    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert member.get(path).status_code == 200
        return len(captured.captured_queries)

    paths = (
        "/runs", "/runs?userLabel=person+7", "/runs?error=ERR_INTERNAL", "/runs?from=2020-01-01&to=2020-02-01",
        f"/runs/{run.id}",
    )  # fmt: skip
    few = [statements(path) for path in paths]
    fill(organization, 20_000)
    assert [statements(path) for path in paths] == few
    assert max(few) <= 16
    for path in paths:
        spent = []
        for _ in range(3):
            start = time.process_time()
            member.get(path)
            spent.append(time.process_time() - start)
        assert min(spent) < 0.1, path

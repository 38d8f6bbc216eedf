"""The audit log as an organisation's admins read it in the console."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts import audit
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys.audit_events import download, words
from apps.api_keys.models import ApiKey
from helios_site.api.bodies import TooSlow
from tests.api.test_callers_trail import EVENTS
from tests.conftest import MakeKey
from tests.contract.healos.calls import content_of
from tests.pages import INLINE

pytestmark = pytest.mark.django_db


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status
    shown = str(response.content.decode())
    assert INLINE.search(shown) is None
    return html.unescape(shown)


def sentences(shown: str) -> list[str]:
    found = re.findall(r"<p><strong>(.*?)</strong> (.*?)</p>", shown)
    return [" ".join(re.sub("<[^>]+>", "", f"{who} {did}").split()) for who, did in found]


@pytest.fixture
def person(organization: Organization) -> User:
    user = User.objects.create_user("ada@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    return user


@pytest.fixture
def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def story(organization: Organization, other_organization: Organization, person: User, make_key: MakeKey) -> str:
    """Five events on three days, and a stranger's; the id of the patient in two of them."""
    key, patient = make_key()[0], str(uuid4())
    actors = (
        (audit.by_user(person), "patient.created", patient, "ok"),
        (audit.by_key(key.id), "patient.read", patient, "ok"),
        (audit.Actor("staff", "77"), "webhook.disabled", str(uuid4()), "ok"),
        (audit.SYSTEM, "user.sign_in_failed", str(person.pk), "failed"),
        (audit.Actor("user", str(uuid4())), "membership.changed", "5", "ok"),
    )
    for n, (actor, action, object_id, outcome) in enumerate(actors):
        AuditEvent.objects.create(
            organization_id=organization.id, actor_type=actor.type, actor_id=actor.id, action=action,
            object_type=action.split(".")[0], object_id=object_id, outcome=outcome, reason=f"<because {n}>",
            at=datetime(2026, 3, 1 + n // 2, 23, 30, tzinfo=UTC), address="192.0.2.7", method="POST", path="/v1/x",
        )  # fmt: skip
    audit.record("patient.erased", actor=audit.SYSTEM, organization_id=other_organization.id, reason="foreign-canary")
    return patient


def test_events_are_sentences_newest_first_and_reading_them_is_one(
    browser: Client, story: str, organization: Organization
) -> None:
    shown = text(browser.get("/audit"))
    prefix = ApiKey.objects.get().key_prefix
    assert sentences(shown)[:5] == [
        "Somebody who is no member changed a member's role",
        "Helios refused a sign-in",
        "Staff disabled a webhook",
        f"Key {prefix}… read a patient's record",
        "ada@example.org registered a patient",
    ]
    for expected in ("<because 0>", "192.0.2.7", "POST /v1/x", story):
        assert expected in shown, expected
    for hidden in ("foreign-canary", ">77<", "staff:77"):
        assert hidden not in shown, hidden
    read = AuditEvent.objects.latest("id")
    assert (read.action, read.actor_type, read.organization_id) == ("audit_event.listed", "user", organization.id)
    assert sentences(text(browser.get("/audit")))[0] == "ada@example.org looked at the audit log"


def test_filters_leave_what_they_name(browser: Client, story: str, person: User) -> None:
    def left(query: str) -> list[str]:
        shown = text(browser.get(f"/audit?{query}"))
        return re.findall(r"<because (\d)>", shown)

    assert left("who=user&action=&object_id=&first=&last=&zone=UTC") == ["4", "0"]
    assert left(f"who=user:{person.pk}") == ["0"]
    assert left("who=key") == ["1"]
    assert left("who=staff") == left("who=staff:1") == ["2"]
    assert left("who=system") == ["3"]
    assert left(f"object_id={story}") == ["1", "0"]
    assert left("action=webhook.disabled") == ["2"]
    assert left("first=2026-03-02&last=2026-03-02") == ["3", "2"]
    assert left("first=2026-03-02&last=2026-03-02&zone=Europe/Berlin") == ["1", "0"]  # there it was half past midnight
    assert left("first=2026-03-03") == ["4"]
    assert left("last=2026-03-01&who=key") == ["1"]
    shown = text(browser.get(f"/audit?object_id={story}&first=2026-03-01"))
    assert f'value="{story}"' in shown
    assert 'name="first" value="2026-03-01"' in shown
    read = AuditEvent.objects.latest("id")
    assert read.reason == f"object_id={story}&first=2026-03-01"
    assert "No event fits" in text(browser.get("/audit?action=no.such"))


@pytest.mark.parametrize(
    "query",
    [
        "who=nobody", "first=yesterday", "first=2026-03-02&last=2026-03-01", "first=2026-03-02&zone=Nowhere/Here",
        f"object_id={'x' * 65}", "action=a%00b", "before=x",
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_refused_and_is_no_reading(browser: Client, story: str, query: str) -> None:
    before = AuditEvent.objects.count()
    for path in ("/audit", "/audit/download"):
        if query.startswith("before") and path != "/audit":
            continue
        shown = text(browser.get(f"{path}?{query}"), 400)
        assert 'role="alert"' in shown
        assert sentences(shown) == []
    assert AuditEvent.objects.count() == before


def test_the_download_is_the_apis_export_of_what_fits(browser: Client, story: str) -> None:
    shown = text(browser.get("/audit?who=key"))
    assert 'href="/audit/download?who=key"' in shown
    response = browser.get("/audit/download?who=key")
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert "attachment" in response.headers["Content-Disposition"]
    assert "no-store" in response.headers["Cache-Control"]
    lines = [json.loads(line) for line in content_of(response).splitlines()]
    assert [line.get("action") for line in lines] == ["patient.read", None]
    assert lines[-1] == {"type": "end", "count": 1}
    assert "hash" in lines[0]
    taken = AuditEvent.objects.latest("id")
    assert (taken.action, taken.reason) == ("audit_event.exported", "who=key")


def test_members_may_not_read_it(browser: Client, organization: Organization, story: str) -> None:
    member = Client()
    user = User.objects.create_user("bea@example.org")
    Membership.objects.create(organization=organization, user=user)
    member.force_login(user)
    for path in ("/audit", "/audit/download"):
        assert "Only an admin" in text(member.get(path), 403)
    assert 'href="/audit"' not in text(member.get("/usage"))
    assert 'href="/audit"' in text(browser.get("/usage"))
    assert not AuditEvent.objects.filter(action__startswith="audit_event.").exists()


def test_a_long_log_is_paged_and_costs_few_queries(browser: Client, organization: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO accounts_auditevent (at, organization_id, actor_type, actor_id, action, object_type, object_id,
                                             outcome, reason, method, path, request_id)
            SELECT timestamptz '2026-01-01' + n * interval '1 minute', %s, 'key', gen_random_uuid()::text,
                   'patient.read', 'patient', gen_random_uuid()::text, 'ok', 'number ' || n, 'GET', '/v1', ''
            FROM generate_series(1, 120) AS n
            """,
            [organization.id],
        )
    page: str | None = "/audit?who=key"
    seen: list[str] = []
    while page:
        with CaptureQueriesContext(connection) as captured:
            shown = text(browser.get(page))
        # Session, person, membership (also for the header), events, their keys, members; and the event of the reading.
        assert len(captured) == 8
        seen += re.findall(r">number (\d+)<", shown)
        onwards = re.search(r'href="(\?[^"]+)" rel="next"', shown)
        page = onwards and f"/audit{onwards[1]}"
    assert seen == [str(n) for n in range(120, 0, -1)]


def test_every_action_of_the_api_has_words() -> None:
    assert set(EVENTS.values()) - set(words.ACTIONS) == set()
    assert words.did(AuditEvent(action="moon.landed")) == "did “moon.landed”"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/audit/download", "/browse/ext-api/v1/audit-events/export"])
def test_a_download_that_is_taken_too_slowly_is_cut_off(
    browser: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "LONGEST_STREAM_SECONDS", 0.0)
    response = browser.get(path)
    with pytest.raises(TooSlow):
        b"".join(response.streaming_content)  # type: ignore[attr-defined]

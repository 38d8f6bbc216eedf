"""`GET /ext-api/v1/audit-events` and its export: an organisation reads its own trail."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts import audit, chain
from apps.accounts.audit_export import export_to_the_end
from apps.accounts.models import AuditEvent, AuditSeal, Membership, Organization, User
from apps.accounts.sealing import seal_waiting
from apps.api_keys.models import ApiKey
from tests.conftest import MakeKey
from tests.contract.healos.calls import EVENTS, EXPORT, INVALID, content_of, with_key
from tests.contract.healos.conftest import SignIn

pytestmark = pytest.mark.django_db
KEY_ID = "11111111-1111-4111-8111-111111111111"


def add(organization: Organization | None, object_id: str = "x", **fields: Any) -> None:
    AuditEvent.objects.create(
        organization_id=None if organization is None else organization.pk,
        object_id=object_id,
        **{"action": "thing.read", "object_type": "thing", "actor_type": "system"} | fields,
    )


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, microsecond, tzinfo=UTC)


@pytest.fixture
def things(organization: Organization, other_organization: Organization) -> None:
    add(organization, "first", at=at(1, 23, 59, 59, 999_999), actor_type="key", actor_id=KEY_ID)
    add(other_organization, "foreign", at=at(2), actor_type="key", actor_id=KEY_ID)
    add(None, "installation", at=at(2))
    add(organization, "second", at=at(2, 12, 0, 0, 123_456), action="thing.deleted", actor_type="user", actor_id=KEY_ID)
    add(organization, "third", at=at(3), object_type="other")


def listed(client: Client, **query: Any) -> list[str]:
    answer = client.get(EVENTS, query)
    assert answer.status_code == 200, answer.content
    return [event["object_id"] for event in answer.json()["data"]]


def exported(client: Client, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(EXPORT, query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in content_of(answer).splitlines()]


# -- What is shown ------------------------------------------------------------------------------------


def test_an_event_is_told_with_its_request(api: Client) -> None:
    api.get(EVENTS, headers={"x-request-id": "abc"}, REMOTE_ADDR="203.0.113.5")
    key = ApiKey.objects.get()
    answer = api.get(EVENTS)
    assert list(answer.json()) == ["data", "meta"]
    assert answer.json()["meta"] == {"page": 1, "limit": 20, "total_pages": 1}
    event = answer.json()["data"][0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("at"))
    assert event == {
        "id": str(AuditEvent.objects.get(action="audit_event.listed", request_id="abc").pk),
        "action": "audit_event.listed",
        "outcome": "ok",
        "actor": {"type": "key", "id": str(key.pk), "key_prefix": key.key_prefix, "email": None},
        "object_type": "audit_event",
        "object_id": "",
        "reason": "",
        "address": "203.0.113.5",
        "method": "GET",
        "path": EVENTS,
        "request_id": "abc",
    }


def test_members_are_named_staff_and_strangers_are_not(api: Client, organization: Organization) -> None:
    member, former = (User.objects.create_user(f"{name}@example.org") for name in ("member", "former"))
    Membership.objects.create(organization=organization, user=member)
    staff = User.objects.create_user("staff@example.org", is_staff=True)
    for user in (member, former, staff):
        audit.record("thing.read", actor=audit.by_user(user), organization_id=organization.pk)
    audit.record("thing.read", actor=audit.SYSTEM, organization_id=organization.pk)
    answer = api.get(EVENTS, {"action": "thing.read"})
    nobody: dict[str, str | None] = {"id": None, "key_prefix": None, "email": None}
    assert [event["actor"] for event in reversed(answer.json()["data"])] == [
        nobody | {"type": "user", "id": str(member.pk), "email": "member@example.org"},
        nobody | {"type": "user", "id": str(former.pk)},
        nobody | {"type": "staff"},
        nobody | {"type": "system"},
    ]
    assert "staff@example.org" not in answer.content.decode()


def test_only_the_own_trail_is_shown_newest_first(
    api: Client, make_key: MakeKey, other_organization: Organization, things: None
) -> None:
    other = with_key(make_key(organization=other_organization)[1])
    assert listed(api, object_type="thing") == ["second", "first"]
    assert listed(other, object_type="thing") == ["foreign"]
    assert {line["object_id"] for line in exported(other, object_type="thing")[:-1]} == {"foreign"}
    organizations = {line["organization_id"] for line in exported(other)[:-1]}
    assert organizations == {str(other_organization.pk)}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"action": "thing.read"}, ["third", "first"]),
        ({"object_type": "thing"}, ["second", "first"]),
        ({"object_id": "second"}, ["second"]),
        ({"key_id": KEY_ID}, ["first"]),
        ({"from": "2026-03-02", "to": "2026-03-02"}, ["second"]),
        ({"to": "2026-03-01"}, ["first"]),
        ({"from": "2026-03-02T12:00:00.123Z", "to": "2026-03-02T12:00:00.123Z"}, ["second"]),
        ({"from": "2026-03-02T12:00:00.124Z", "to": "2026-03-03"}, ["third"]),
        ({"to": "2026-03-02T12:00:00.122Z"}, ["first"]),
        ({"from": "2026-03-02T14:00:00+02:00", "to": "2026-03-02T13:00:00 01:00"}, []),
        ({"from": "2026-03-02T14:00:00 02:00", "to": "2026-03-02T12:01:00Z"}, ["second"]),
        ({"to": "9999-12-31", "object_type": "other"}, ["third"]),
        ({"from": "0001-01-01", "object_type": "other"}, ["third"]),
        ({"from": "2026-03-03", "to": "2026-03-01"}, []),
        ({"action": "nothing", "unknown": "1"}, []),
        ({"action": ["nothing", "thing.deleted"]}, ["second"]),
        ({"object_type": "thing", "action": "thing.deleted", "object_id": "second"}, ["second"]),
    ],
)
def test_each_filter_narrows(api: Client, things: None, query: dict[str, Any], found: list[str]) -> None:
    assert listed(api, **query) == found
    lines = exported(api, **query)
    assert [line["object_id"] for line in lines[:-1]] == found[::-1]
    assert lines[-1] == {"type": "end", "count": len(found)}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"from": "yesterday"}, "Invalid datetime"),
        ({"to": "2026-02-30"}, "Invalid datetime"),
        ({"from": ""}, "Invalid datetime"),
        ({"to": "2026-03-02T12:00:00"}, "Invalid datetime"),
        ({"to": "\u0662026-03-02"}, "Invalid datetime"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "Invalid datetime"),
        ({"key_id": "hlsk_x"}, "Invalid uuid"),
        ({"key_id": KEY_ID.upper().replace("1", "A")}, "Invalid uuid"),
        ({"key_id": ""}, "Invalid uuid"),
        ({"action": ""}, "String must contain at least 1 character(s)"),
        ({"object_id": "x" * 65}, "String must contain at most 64 character(s)"),
        ({"object_type": "a\x00b"}, "String must not contain NUL or lone surrogates"),
        ({"page": "0"}, "Number must be greater than or equal to 1"),
        ({"limit": "x"}, "Expected number, received nan"),
    ],
)
def test_healos_60_a_wrong_parameter_is_named_and_nothing_read(
    api: Client, query: dict[str, str], message: str
) -> None:
    expected = (400, {"error": INVALID, "details": {next(iter(query)): [message]}})
    paths = [EVENTS] if query.keys() & {"page", "limit"} else [EVENTS, EXPORT]
    for path in paths:
        answer = api.get(path, query)
        assert (answer.status_code, answer.json()) == expected
    assert not AuditEvent.objects.filter(object_type="audit_event").exists()


def test_every_wrong_parameter_is_named(api: Client) -> None:
    details = api.get(EVENTS, {"from": "x", "key_id": "y", "action": ""}).json()["details"]
    assert list(details) == ["from", "key_id", "action"]


# -- Pages --------------------------------------------------------------------------------------------


def test_healos_57_the_number_of_pages_is_true_while_some_events_are_sealed_and_some_are_not(
    api: Client, organization: Organization, other_organization: Organization
) -> None:
    for _ in range(30):
        add(organization)
        add(other_organization)
    seal_waiting()
    for _ in range(14):
        add(organization)
        add(other_organization)
    assert AuditEvent.objects.filter(organization_id=organization.pk).count() == 45  # with that of the key
    assert api.get(EVENTS, {"limit": 15}).json()["meta"] == {"page": 1, "limit": 15, "total_pages": 3}
    assert api.get(EVENTS, {"limit": 15}).json()["meta"]["total_pages"] == 4  # the reading before is an event, too
    narrowed = [
        api.get(EVENTS, {"limit": "15", "page": str(page), "object_type": "thing"}).json() for page in (1, 2, 3, 4)
    ]
    assert [len(page["data"]) for page in narrowed] == [15, 15, 14, 0]
    assert {page["meta"]["total_pages"] for page in narrowed} == {3}
    ids = [event["id"] for page in narrowed for event in page["data"]]
    assert (len(set(ids)), ids) == (44, sorted(ids, key=int, reverse=True))


def test_healos_59_a_limit_above_100_means_100_and_no_events_no_pages(api: Client) -> None:
    assert api.get(EVENTS, {"limit": 1000}).json()["meta"] == {"page": 1, "limit": 100, "total_pages": 1}
    empty = {"data": [], "meta": {"page": 1, "limit": 20, "total_pages": 0}}
    assert api.get(EVENTS, {"action": "nothing"}).json() == empty


def test_the_whole_trail_is_never_counted(api: Client, things: None) -> None:
    seal_waiting()
    api.get(EVENTS)
    with CaptureQueriesContext(connection) as captured:
        assert api.get(EVENTS).status_code == 200
    statements = [query["sql"] for query in captured.captured_queries]
    # The key, the number, the page, its keys, and the reading. Nobody who acted in it was a person.
    assert len(statements) == 6, statements
    counting = [statement for statement in statements if "count(" in statement.lower()]
    assert len(counting) == 1
    assert "accounts_unsealedevent AS waiting JOIN" in counting[0]


# -- On the record ------------------------------------------------------------------------------------


def test_who_reads_the_trail_is_on_the_record_without_any_key_that_was_looked_for(
    api: Client, make_key: MakeKey, organization: Organization
) -> None:
    raw_key = make_key()[1]
    api.get(EVENTS, {"object_id": raw_key, "page": "1", "email": "a@example.org"})
    exported(api, action="api_key.created", **{"from": "2026-01-01"})
    events = AuditEvent.objects.filter(object_type="audit_event").order_by("id")
    assert [(event.action, event.reason, event.outcome) for event in events] == [
        ("audit_event.listed", "object_id=hlsk_[redacted]", "ok"),
        ("audit_event.exported", "from=2026-01-01&action=api_key.created", "ok"),
    ]
    assert {(event.organization_id, event.actor_type, event.path) for event in events} == {
        (organization.pk, "key", EVENTS), (organization.pk, "key", EXPORT),
    }  # fmt: skip


def test_a_head_downloads_nothing(api: Client, things: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert content_of(api.head(EXPORT)) == b""
    assert not [query for query in captured.captured_queries if "FROM accounts_auditevent" in query["sql"]]


# -- The export ---------------------------------------------------------------------------------------


def test_a_line_without_its_hash_is_what_was_hashed_and_each_follows_the_one_before(api: Client, things: None) -> None:
    seal_waiting()
    answer = api.get(EXPORT)
    assert re.fullmatch(r'attachment; filename="audit-\d{8}T\d{6}Z\.ndjson"', answer["Content-Disposition"])
    lines = [json.loads(line) for line in content_of(answer).splitlines()]
    assert lines.pop() == {"type": "end", "count": 5}
    assert lines[-1]["action"] == "audit_event.exported"
    assert lines.pop()["hash"] is None
    previous = chain.START.hex()
    for number, line in enumerate(lines, 1):
        digest = line.pop("hash")
        assert hashlib.sha256(chain.line(line).encode()).hexdigest() == digest
        assert (line["sequence"], line["previous_hash"]) == (number, previous)
        previous = digest
    head = AuditSeal.objects.filter(organization_id=lines[0]["organization_id"]).latest("sequence")
    assert bytes(head.hash).hex() == previous


@pytest.mark.django_db(transaction=True)
def test_an_export_is_of_one_moment_and_a_cut_one_lacks_its_end(organization: Organization) -> None:
    def lines(events: Iterator[bytes]) -> Iterator[dict[str, Any]]:
        for some in events:
            yield from map(json.loads, some.splitlines())

    AuditEvent.objects.bulk_create(
        [AuditEvent(organization_id=organization.pk, action="thing.read", actor_type="system") for _ in range(1100)]
    )
    exporting = lines(export_to_the_end(AuditEvent.objects.filter(organization_id=organization.pk)))
    begun = [next(exporting) for _ in range(10)]
    add(organization, "later")
    whole = [*begun, *exporting]
    assert whole[-1] == {"type": "end", "count": 1100}
    assert len(whole) == 1101
    assert "later" not in {line.get("object_id") for line in whole}
    assert not [line for line in begun if line.get("type") == "end"]


# -- The browsable form -------------------------------------------------------------------------------


def test_admins_read_the_trail_in_the_browsable_api_and_members_do_not(
    sign_in: SignIn, organization: Organization, things: None
) -> None:
    admin, member = sign_in(organization), sign_in(organization, "member")
    page = admin.get(f"/browse{EVENTS}", headers={"accept": "text/html"})
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "thing.deleted" in page.content.decode()
    whole = admin.get(f"/browse{EXPORT}", headers={"accept": "text/html"})
    assert json.loads(content_of(whole).splitlines()[-1])["type"] == "end"
    for path in (EVENTS, EXPORT):
        refused = member.get(f"/browse{path}", headers={"accept": "application/json"})
        assert (refused.status_code, refused.json()) == (403, {"error": "Insufficient scope"})
    readings = AuditEvent.objects.filter(object_type="audit_event").order_by("id")
    assert [(event.action, event.actor_type) for event in readings] == [
        ("audit_event.listed", "user"), ("audit_event.exported", "user"),
    ]  # fmt: skip

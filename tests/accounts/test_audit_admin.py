"""Staff find events of the audit trail and take them away as NDJSON."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts import chain
from apps.accounts.models import AuditEvent, AuditSeal, Organization, User
from apps.accounts.sealing import seal_waiting
from apps.accounts.staff_admin import MAX_LISTED
from tests.conftest import with_totp

pytestmark = pytest.mark.django_db
AUDIT = "/admin/accounts/auditevent/"
EXPORT = f"{AUDIT}export"


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(with_totp(User.objects.create_superuser("staff@example.org")))
    return client


@pytest.fixture
def events(organization: Organization, other_organization: Organization) -> None:
    def add(organization: Organization, action: str, object_id: str, actor_id: str, day: int) -> None:
        AuditEvent.objects.create(
            organization_id=organization.pk,
            action=action,
            object_type="thing",
            object_id=object_id,
            actor_type="user",
            actor_id=actor_id,
            at=datetime(2026, 3, day, 23, 59, 59, 999_999, tzinfo=UTC),
        )

    add(organization, "thing.read", "first", "ada", 1)
    add(other_organization, "thing.read", "second", "ada", 2)
    add(organization, "thing.deleted", "third", "bob", 2)


def exported(client: Client, **query: str) -> list[dict[str, Any]]:
    response = client.get(EXPORT, query)
    assert (response.status_code, response["Content-Type"]) == (200, "application/x-ndjson")
    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    return [json.loads(line) for line in body.splitlines()]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"first", "second", "third"}),
        ({"organization": "northern"}, {"first", "third"}),
        ({"actor": "ada"}, {"first", "second"}),
        ({"what": "thing.read"}, {"first", "second"}),
        ({"object": "third"}, {"third"}),
        ({"day": "2026-03-02"}, {"second", "third"}),
        ({"day": "2026-03-02", "actor": "ada", "actor_type": "user"}, {"second"}),
        ({"day": "2026-03-03"}, set()),
        ({"day": "yesterday"}, set()),
        ({"day": "9999-12-31"}, set()),
        ({"organization": "nobody's"}, set()),
        ({"actor": "\0"}, {"first", "second", "third"}),
        ({"q": "second"}, {"second"}),
    ],
)
def test_list_and_export_show_what_the_filters_choose(
    admin: Client, events: None, query: dict[str, str], found: set[str]
) -> None:
    page = admin.get(AUDIT, query).content.decode()
    listed = {name for name in ("first", "second", "third") if f'field-object_id">{name}<' in page}
    assert listed == found
    assert {one["object_id"] for one in exported(admin, **query) if one["object_type"] == "thing"} == found


def test_a_filter_keeps_the_others_and_escapes_what_was_typed(admin: Client, events: None) -> None:
    page = admin.get(AUDIT, {"actor": "ada", "what": '"><script>'}).content.decode()
    assert '<input type="hidden" name="actor" value="ada">' in page
    assert '<input type="hidden" name="actor" value="ada"><input type="text" name="actor"' not in page
    assert "&quot;&gt;&lt;script&gt;" in page
    assert '"><script>' not in page.replace('"><script src', "")


def test_an_exported_line_without_its_hash_is_what_was_hashed(admin: Client, events: None) -> None:
    seal_waiting()
    lines = exported(admin, object="third")
    [one] = lines
    digest = one.pop("hash")
    assert hashlib.sha256(chain.line(one).encode()).hexdigest() == digest
    assert bytes(AuditSeal.objects.get(event_id=one["id"]).hash).hex() == digest
    assert digest in admin.get(f"{AUDIT}{one['id']}/change/").content.decode()


def test_an_event_that_is_not_sealed_yet_is_exported_without_seal(admin: Client, events: None) -> None:
    [one] = exported(admin, object="third")
    assert (one["sequence"], one["previous_hash"], one["hash"]) == (None, None, None)


def test_an_export_is_on_the_record(admin: Client, events: None) -> None:
    exported(admin, actor="ada", object="hlsk_" + "0" * 38)
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.actor_type) == ("audit_event.exported", "staff")
    assert event.reason == "actor=ada&object=hlsk_[redacted]", "a key that was looked for is not kept"


def test_only_who_may_read_the_trail_may_export_it(events: None) -> None:
    limited = with_totp(User.objects.create_user("limited@example.org", is_staff=True))
    client = Client()
    assert client.get(EXPORT).status_code == 302
    client.force_login(limited)
    assert client.get(EXPORT).status_code == 403
    assert not AuditEvent.objects.filter(action="audit_event.exported").exists()


def test_an_export_goes_past_what_a_list_shows_and_nothing_counts_the_whole_trail(
    admin: Client, organization: Organization
) -> None:
    AuditEvent.objects.bulk_create(
        [
            AuditEvent(organization_id=organization.pk, action="thing.read", actor_type="system", object_id=str(number))
            for number in range(MAX_LISTED + 1500)
        ]
    )
    assert len(exported(admin, what="thing.read")) == MAX_LISTED + 1500
    with CaptureQueriesContext(connection) as captured:
        assert admin.get(AUDIT).status_code == 200
    counts = [query["sql"] for query in captured.captured_queries if "COUNT(" in query["sql"]]
    assert all(f"LIMIT {MAX_LISTED}" in statement for statement in counts), counts

"""The audit trail only grows."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts import audit
from apps.accounts.models import AuditEvent, Organization, User
from helios_site.api.context import RequestContext, reset_request, set_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(organization: Organization) -> AuditEvent:
    audit.record("test.done", actor=audit.SYSTEM, organization_id=organization.pk, reason="why")
    return AuditEvent.objects.get()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditevent SET reason = 'forged'",
        "UPDATE accounts_auditevent SET id = id + 1",
        "DELETE FROM accounts_auditevent",
        "TRUNCATE accounts_auditevent",
        "TRUNCATE accounts_auditevent CASCADE",
    ],
)
def test_the_database_refuses_every_change(event: AuditEvent, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="rows of the audit trail are never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"ALTER TABLE accounts_auditevent ENABLE ALWAYS TRIGGER audit_event_no_truncate; {statement}")
    assert AuditEvent.objects.get().reason == "why"


def test_the_installed_triggers_are_always_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'accounts_auditevent'::regclass "
            "AND NOT tgisinternal"
        )
        enabled = dict(cursor.fetchall())
    # ALWAYS: `session_replication_role = replica`, the usual way around triggers, does not switch it off.
    assert enabled["audit_event_no_change"] == "A"
    # The tests' own clean-up truncates; tests/conftest.py switches this one off in the test database alone.
    assert set(enabled) == {"audit_event_no_change", "audit_event_no_truncate", "audit_event_await_seal"}


def test_an_event_is_as_lost_as_the_change_that_it_records(organization: Organization) -> None:
    def fail_after_recording() -> None:
        with transaction.atomic():
            audit.record("test.done", actor=audit.SYSTEM, organization_id=organization.pk)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        fail_after_recording()
    assert not AuditEvent.objects.exists()


def test_an_event_tells_of_the_request_that_made_it() -> None:
    token = set_request(RequestContext(id="abc", address="2001:db8::1", method="POST", path="/v1/" + "x" * 400))
    try:
        audit.record("test.done", actor=audit.SYSTEM, organization_id=None, reason="r" * 600)
    finally:
        reset_request(token)
    event = AuditEvent.objects.get()
    assert (event.request_id, event.address, event.method) == ("abc", "2001:db8::1", "POST")
    assert (len(event.path), len(event.reason)) == (300, 500)


def test_an_event_outlives_its_organisation(event: AuditEvent, organization: Organization) -> None:
    identifier = organization.pk
    organization.delete()
    assert AuditEvent.objects.get().organization_id == identifier


@pytest.mark.parametrize(("is_staff", "expected"), [(True, "staff"), (False, "user")])
def test_a_person_is_recorded_as_staff_or_user(is_staff: bool, expected: str) -> None:
    user = User.objects.create_user("a@example.org", is_staff=is_staff)
    assert audit.by_user(user) == audit.Actor(expected, str(user.pk))

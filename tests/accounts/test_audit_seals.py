"""The chains over the audit trail: in order, unbroken, and telling of every row that was tampered with."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from apps.accounts import audit, chain, sealing, verification
from apps.accounts.models import AuditEvent, AuditSeal, Organization, UnsealedEvent
from apps.accounts.sealing import seal_waiting
from tests.conftest import RECORDINGS

pytestmark = pytest.mark.django_db


def append(organization: Organization | None, number: int = 1) -> None:
    identifier = None if organization is None else organization.pk
    for index in range(number):
        audit.record("test.done", actor=audit.SYSTEM, organization_id=identifier, reason=f"Grüße {index}")


def verify(*arguments: str) -> tuple[int, list[str]]:
    """Exit code and lines of the command."""
    out = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def head(organization: Organization) -> str:
    last = AuditSeal.objects.filter(organization_id=organization.pk).order_by("-sequence")[0]
    return bytes(last.hash).hex()


@contextmanager
def unguarded(table: str, trigger: str) -> Iterator[Callable[..., object]]:
    """What the owner of the tables can do, who is the strongest user of the database."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        yield cursor.execute
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


@pytest.fixture
def sealed(organization: Organization, other_organization: Organization) -> Organization:
    for _ in range(3):
        append(organization)
        append(None)
        append(other_organization)
    seal_waiting()
    return organization


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "SEALED_WITHIN_SECONDS", 0.0)


def test_each_organisation_and_the_installation_have_a_chain_of_their_own(sealed: Organization) -> None:
    links = AuditSeal.objects.order_by("event_id")
    assert [link.sequence for link in links] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    of_one = [link for link in links if link.organization_id == sealed.pk]
    assert bytes(of_one[0].previous_hash) == chain.START
    assert [bytes(link.previous_hash) for link in of_one[1:]] == [bytes(link.hash) for link in of_one[:-1]]
    assert not UnsealedEvent.objects.exists()
    code, lines = verify()
    assert (code, len(lines)) == (0, 3)
    assert f"Northern Clinic ({sealed.pk}): ok 3 events, head {head(sealed)}" in lines
    assert any(line.startswith("the installation: ok 3 events") for line in lines)


def test_a_hash_can_be_computed_from_its_description_alone(organization: Organization) -> None:
    append(organization)
    seal_waiting()
    event, link = AuditEvent.objects.get(), AuditSeal.objects.get()
    at = event.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    line = (
        f'{{"action":"test.done","actor_id":"","actor_type":"system","address":null,"at":"{at}","id":{event.id},'
        f'"method":"","object_id":"","object_type":"","organization_id":"{organization.pk}","outcome":"ok","path":"",'
        f'"previous_hash":"{"0" * 64}","reason":"Grüße 0","request_id":"","sequence":1}}'
    )
    assert bytes(link.hash) == hashlib.sha256(line.encode()).digest()
    assert json.loads(line)["reason"] == "Grüße 0"


def test_every_column_of_the_trail_is_hashed() -> None:
    assert set(chain.EVENT_FIELDS) == {field.name for field in AuditEvent._meta.fields}


def test_batches_continue_each_other(organization: Organization) -> None:
    append(organization, 7)
    assert seal_waiting(batch=3) == 7
    assert verify() == (0, [f"Northern Clinic ({organization.pk}): ok 7 events, head {head(organization)}"])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditseal SET hash = previous_hash",
        "DELETE FROM accounts_auditseal",
        "ALTER TABLE accounts_auditseal ENABLE ALWAYS TRIGGER audit_seal_no_truncate; TRUNCATE accounts_auditseal",
    ],
)
def test_the_database_refuses_every_change_of_a_seal(sealed: Organization, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="rows of the audit trail are never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditSeal.objects.count() == 9


def test_the_installed_triggers_are_always_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal AND tgname IN "
            "('audit_seal_no_change', 'audit_seal_no_truncate', 'audit_event_await_seal')"
        )
        # The tests' own clean-up truncates; tests/conftest.py switches that one off in the test database alone.
        assert dict(cursor.fetchall()) == {
            "audit_seal_no_change": "A",
            "audit_event_await_seal": "A",
            "audit_seal_no_truncate": "D",
        }


CHANGES = {
    "at": "at + interval '1 microsecond'",
    "organization_id": "NULL",
    "actor_type": "'staff'",
    "actor_id": "'somebody'",
    "action": "'test.read'",
    "object_type": "'run'",
    "object_id": "'1'",
    "outcome": "'refused'",
    "reason": "reason || ' '",
    "address": "'192.0.2.1'",
    "method": "'GET'",
    "path": "'/'",
    "request_id": "'x'",
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_event_is_named(sealed: Organization, column: str) -> None:
    second = AuditSeal.objects.get(organization_id=sealed.pk, sequence=2)
    with unguarded("accounts_auditevent", "audit_event_no_change") as execute:
        execute(f"UPDATE accounts_auditevent SET {column} = {CHANGES[column]} WHERE id = %s", [second.event_id])  # noqa: S608
    code, lines = verify("--organization", "Northern Clinic")
    assert code == 1
    assert f"BROKEN the event {second.event_id} (seal 2) was changed; before it: 1 events" in lines[0]


def test_a_removed_event_is_named_and_other_chains_stay_sound(sealed: Organization) -> None:
    second = AuditSeal.objects.get(organization_id=sealed.pk, sequence=2)
    with unguarded("accounts_auditevent", "audit_event_no_change") as execute:
        execute("DELETE FROM accounts_auditevent WHERE id = %s", [second.event_id])
    code, lines = verify()
    assert code == 1
    assert [line for line in lines if "BROKEN" in line] == [
        line for line in lines if f"BROKEN the event {second.event_id} (seal 2) is missing" in line
    ]
    assert sum(": ok 3 events" in line for line in lines) == 2


def test_an_event_removed_with_its_seal_leaves_a_gap(sealed: Organization) -> None:
    second = AuditSeal.objects.get(organization_id=sealed.pk, sequence=2)
    with unguarded("accounts_auditevent", "audit_event_no_change") as execute:
        execute("DELETE FROM accounts_auditevent WHERE id = %s", [second.event_id])
    with unguarded("accounts_auditseal", "audit_seal_no_change") as execute:
        execute("DELETE FROM accounts_auditseal WHERE event_id = %s", [second.event_id])
    code, lines = verify("--organization", "Northern Clinic")
    assert code == 1
    assert "BROKEN the seal 2 is missing" in lines[0]


def test_a_changed_event_with_a_recomputed_seal_breaks_the_next_link(sealed: Organization) -> None:
    second = AuditSeal.objects.get(organization_id=sealed.pk, sequence=2)
    with unguarded("accounts_auditevent", "audit_event_no_change") as execute:
        execute("UPDATE accounts_auditevent SET reason = 'forged' WHERE id = %s", [second.event_id])
    event = AuditEvent.objects.filter(id=second.event_id).values(*chain.EVENT_FIELDS)[0]
    forged = chain.seal_hash(event, sequence=2, previous_hash=bytes(second.previous_hash))
    with unguarded("accounts_auditseal", "audit_seal_no_change") as execute:
        execute("UPDATE accounts_auditseal SET hash = %s WHERE event_id = %s", [forged, second.event_id])
    code, lines = verify("--organization", "Northern Clinic")
    assert code == 1
    assert "BROKEN the seal 3" in lines[0]
    assert "does not follow the one before" in lines[0]


def test_a_cut_tail_is_found_by_the_head_that_was_kept(sealed: Organization) -> None:
    kept = head(sealed)
    third = AuditSeal.objects.get(organization_id=sealed.pk, sequence=3)
    append(sealed)
    seal_waiting()
    assert verify("--expect-head", kept)[0] == 0, "a chain may have grown since"
    assert verify("--organization", "Southern Clinic", "--expect-head", kept)[0] == 1
    with unguarded("accounts_auditevent", "audit_event_no_change") as execute:
        execute("DELETE FROM accounts_auditevent WHERE id >= %s AND organization_id = %s", [third.event_id, sealed.pk])
    with unguarded("accounts_auditseal", "audit_seal_no_change") as execute:
        execute("DELETE FROM accounts_auditseal WHERE sequence >= 3 AND organization_id = %s", [sealed.pk])
    assert verify()[0] == 0, "nothing else can tell"
    code, lines = verify("--expect-head", kept)
    assert code == 1
    assert lines[-1] == f"BROKEN no chain contains the expected head {kept}: its end was cut off"


@pytest.mark.usefixtures("impatient")
def test_an_event_that_nobody_sealed_is_named(sealed: Organization) -> None:
    append(sealed)
    event = AuditEvent.objects.latest("id")
    code, lines = verify()
    assert code == 1
    assert lines[-1].startswith(f"BROKEN the event {event.pk} is not sealed")
    assert verify("--organization", "Southern Clinic")[0] == 0


@pytest.mark.usefixtures("impatient")
def test_an_event_removed_before_its_seal_is_named(sealed: Organization) -> None:
    append(sealed, 2)
    first, second = AuditEvent.objects.order_by("-id")[:2][::-1]
    with unguarded("accounts_auditevent", "audit_event_no_change") as execute:
        execute("DELETE FROM accounts_auditevent WHERE id = %s", [first.pk])
    assert seal_waiting() == 1, "the others are sealed all the same"
    assert AuditSeal.objects.filter(event_id=second.pk).exists()
    assert verify()[1][-1] == f"BROKEN the event {first.pk} is missing; it was never sealed"


def test_a_fresh_event_is_no_fault(sealed: Organization) -> None:
    append(sealed)
    assert verify()[0] == 0


@pytest.mark.django_db(transaction=True)
def test_an_old_event_that_appears_late_is_waited_for(organization: Organization) -> None:
    AuditEvent.objects.create(
        action="test.late", actor_type="system", organization_id=organization.pk, at=timezone.now() - timedelta(hours=1)
    )

    def seal_later() -> None:
        seal_waiting()
        connections.close_all()

    sealer = threading.Timer(0.5, seal_later)
    sealer.start()
    assert verify()[0] == 0
    sealer.join()


@pytest.mark.parametrize(
    "arguments", [("--expect-head", "abc"), ("--organization", "Nobody"), ("--expect-head", "é" * 64)]
)
def test_nonsense_is_refused(sealed: Organization, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"64 hexadecimals|no organisation"):
        verify(*arguments)


@pytest.mark.django_db(transaction=True)
def test_an_event_of_a_long_transaction_is_sealed_when_it_appears(organization: Organization) -> None:
    began, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            append(organization)
            began.set()
            assert may_commit.wait(10)
        connections.close_all()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    assert began.wait(10)
    append(organization)
    assert seal_waiting() == 1
    may_commit.set()
    writer.join()
    assert seal_waiting() == 1
    in_chain = list(AuditSeal.objects.order_by("sequence").values_list("event_id", flat=True))
    assert in_chain == sorted(in_chain, reverse=True), "the order is that of sealing"
    assert verify()[0] == 0


@pytest.mark.django_db(transaction=True)
def test_while_one_sealer_works_another_does_nothing_and_writers_write(organization: Organization) -> None:
    append(organization)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [sealing._LOCK])
        outcome: list[int] = []

        def seal_and_write() -> None:
            outcome.append(seal_waiting())
            append(organization)
            connections.close_all()

        other = threading.Thread(target=seal_and_write)
        other.start()
        other.join(5)
        assert outcome == [0]
    assert seal_waiting() == 2


@pytest.mark.django_db(transaction=True)
def test_10_000_appends_by_8_threads_make_one_unbroken_chain(organization: Organization) -> None:
    identifier, done = organization.pk, threading.Event()

    def write() -> None:
        for _ in range(50):
            with transaction.atomic():
                append(organization, 25)
        connections.close_all()

    def keep_sealing() -> None:
        while not done.wait(0.1):
            seal_waiting()
        connections.close_all()

    writers = [threading.Thread(target=write) for _ in range(8)]
    sealers = [threading.Thread(target=keep_sealing) for _ in range(2)]
    for thread in (*sealers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sealers:
        thread.join()
    seal_waiting()
    assert AuditSeal.objects.filter(organization_id=identifier).count() == 10_000
    assert verify() == (0, [f"Northern Clinic ({identifier}): ok 10000 events, head {head(organization)}"])


@RECORDINGS
def test_the_worker_of_housekeeping_seals_within_a_second(worker: object, organization: Organization) -> None:
    waits = []
    for _ in range(5):
        append(organization)
        appended = timezone.now()
        while UnsealedEvent.objects.exists() and timezone.now() - appended < timedelta(seconds=20):
            threading.Event().wait(0.01)
        waits.append(timezone.now() - appended)
    # The middle one: another may meet a moment in which the machine does something else.
    assert sorted(waits)[2] < timedelta(seconds=1), waits
    assert set(AuditSeal.objects.values_list("organization_id", flat=True)) == {organization.pk}


def test_a_chain_cannot_fork(sealed: Organization) -> None:
    for identifier in (sealed.pk, None):
        with pytest.raises(IntegrityError, match="audit_seal_in_chain"), transaction.atomic():
            AuditSeal.objects.create(
                event_id=10**12, organization_id=identifier, sequence=3, previous_hash=b"", hash=uuid4().bytes
            )

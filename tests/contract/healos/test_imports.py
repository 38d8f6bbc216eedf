"""`POST /ext-api/v1/import`, line by line."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.patients.models import Appointment, Note, Patient, Session
from apps.patients.selectors import count_records
from apps.patients.transfer import reading, services
from helios_site.env import Rate
from tests.conftest import MakeKey
from tests.contract.healos.calls import EXT, INVALID, content_of, send, with_key
from tests.contract.healos.conftest import session_of
from tests.contract.healos.patients import PATIENTS, create
from tests.contract.healos.transfer import (
    IMPORT,
    NDJSON,
    TWICE,
    appointment,
    begun,
    imported,
    note,
    patient,
    post,
    statuses,
)

pytestmark = pytest.mark.django_db
UNRECOGNIZED = ["Unrecognized key(s) in object: 'foo'"]
KNOWN = "'patient' | 'appointment' | 'document' | 'note' | 'end'"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
NO_PATIENT: tuple[str, dict[str, Any]] = ("Patient not found", {})


def invalid(**details: list[str]) -> tuple[str, dict[str, Any]]:
    return INVALID, details


REFUSED: list[tuple[Any, tuple[str, dict[str, Any]]]] = [
    (b'{"type": "patient"', ("Invalid JSON", {})),
    (b"{}{}", ("Invalid JSON", {})),
    (b'{"type": "patient", "data": {"name": NaN}}', ("Invalid JSON", {})),
    (b"[" * 100_000, ("Invalid JSON", {})),
    (b"\xff\xfe\xfd", ("Invalid JSON", {})),
    (b'{"a": "' + b"x" * 2**20 + b'"}', ("The line has more than 1048576 bytes", {})),
    (b"[]", invalid()),
    ({}, invalid(type=["Required"], data=["Required"])),
    ({"type": "run", "data": {}}, invalid(type=[f"Invalid enum value. Expected {KNOWN}, received 'run'"])),
    ({"type": 5, "data": {}}, invalid(type=[f"Expected {KNOWN}, received number"])),
    ({"type": "patient", "data": []}, invalid(data=["Expected object, received array"])),
    ({**patient(), "foo": 1}, invalid(foo=UNRECOGNIZED)),
    (patient(foo=1), invalid(foo=UNRECOGNIZED)),
    (patient(name=""), invalid(name=["String must contain at least 1 character(s)"])),
    (patient(name=None), invalid(name=["Expected string, received null"])),
    (patient(email="x" * 256), invalid(email=["String must contain at most 255 character(s)"])),
    (patient(date_of_birth="2026-02-30"), invalid(date_of_birth=["Invalid date"])),
    (patient(created_at="yesterday"), invalid(created_at=["Invalid datetime"])),
    (patient(phone="\x00"), invalid(phone=["String must not contain NUL or lone surrogates"])),
    (patient(client_history={"foo": 1}), invalid(client_history=UNRECOGNIZED)),
    (patient(id=5), invalid(id=["Expected string, received number"])),
    (patient(external_id="TAKEN"), invalid(external_id=[TWICE])),
    (patient(id="p"), invalid(id=[TWICE])),
    (appointment(), invalid(patient_id=["Required, or patient_external_id"])),
    (appointment(patient_id="p", patient_external_id="TAKEN"),
     invalid(patient_external_id=["Must not be sent with patient_id"])),
    (appointment(patient_id="p", start_at="tomorrow"), invalid(start_at=["Invalid datetime"])),
    (appointment(patient_id="p", repeat_rule={"frequency": "WEEKLY", "end_date": "2026-04-14"}),
     invalid(repeat_rule=["end_date must not be before the day of start_at"])),
    (appointment(patient_id="nobody"), NO_PATIENT),
    (appointment(patient_id="below"), NO_PATIENT),
    (appointment(patient_external_id="nobody"), NO_PATIENT),
    (note(patient_id="481926357104938271"), NO_PATIENT),
    (note(patient_id="p", icd10_codes={"a": ["\x00"]}),
     invalid(icd10_codes=["String must not contain NUL or lone surrogates"])),
    (b'{"type": "note", "data": {"patient_id": "p", "cpt_codes": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}}",
     invalid(cpt_codes=["Object must be nested at most 20 deep"])),
    (note(patient_id="p", transcript={"session_date": "x"}), invalid(transcript=["Invalid date"])),
]  # fmt: skip


def test_a_wrong_line_is_told_and_the_others_go_on(api: Client, organization: Organization) -> None:
    first, last = patient(id="p", external_id="TAKEN"), patient(id="below")
    replies = imported(api, first, *(line for line, _ in REFUSED), last)
    assert [reply["line"] for reply in replies] == list(range(1, len(REFUSED) + 3))
    for (line, (error, details)), reply in zip(REFUSED, replies[1:-1], strict=True):
        expected = {"status": "error", "error": error, "details": details}
        assert reply == {"line": reply["line"], **expected}, str(line)[:200]
    assert [replies[place]["status"] for place in (0, -1)] == ["created"] * 2
    assert {str(pk) for pk in Patient.objects.values_list("pk", flat=True)} == {replies[0]["id"], replies[-1]["id"]}
    assert not Appointment.objects.exists()
    assert not Session.objects.exists()
    assert count_records(organization.pk, "patient") == 2


def test_a_patient_of_another_organisation_is_absent(api: Client, other_api: Client) -> None:
    theirs = create(other_api, external_id="THEIRS")
    replies = imported(
        api,
        appointment(patient_id=theirs["id"]),
        appointment(patient_external_id="THEIRS"),
        patient(id=theirs["id"], external_id="THEIRS", name="Ours"),
        appointment(patient_id=theirs["id"]),
    )
    assert statuses(replies) == ["error", "error", "created", "created"]
    assert send(other_api, "GET", f"{PATIENTS}/{theirs['id']}").json()["data"] == theirs
    assert send(other_api, "GET", f"{EXT}/appointments").json()["data"] == []
    assert send(api, "GET", f"{EXT}/appointments").json()["data"][0]["patient_name"] == "Ours"


def test_lines_name_patients_above_or_of_the_organisation(api: Client) -> None:
    there = create(api, external_id="E")
    replies = imported(
        api,
        patient(id="new", external_id="N"),
        appointment(patient_id="new"),
        appointment(patient_external_id="N"),
        appointment(patient_id=there["id"], external_id="A"),
        note(patient_external_id="E", session_id="s", transcript={"text": "hello"}),
        note(patient_external_id="E", session_id="s"),
        note(patient_id="new", session_id="s"),
    )
    assert statuses(replies) == ["created"] * 7
    assert list(Appointment.objects.order_by("created_at", "external_id").values_list("external_id", flat=True)) == [
        "A", None, None,
    ]  # fmt: skip
    assert Counter(str(one) for one in Appointment.objects.values_list("patient_id", flat=True)) == {
        replies[0]["id"]: 2, there["id"]: 1,
    }  # fmt: skip
    sessions = [Note.objects.select_related("session").get(pk=reply["id"]).session for reply in replies[4:]]
    assert sessions[0].pk == sessions[1].pk != sessions[2].pk
    assert (sessions[0].text, sessions[0].patient_id) == ("hello", int(there["id"]))


def test_what_is_there_is_skipped_or_updated_by_external_id(api: Client) -> None:
    before = create(api, external_id="E", notes="kept", pronouns="she/her")
    line = patient(external_id="E", name="Maria Lopez", pronouns=None, email="m@example.org", created_at=None)
    skipped = [{"line": 1, "status": "skipped", "id": before["id"]}]
    assert imported(api, line) == imported(api, line, query="?mode=skip") == skipped
    assert send(api, "GET", f"{PATIENTS}/{before['id']}").json()["data"] == before
    assert statuses(imported(api, line, query="?mode=update&dry_run=true")) == ["updated"]
    assert send(api, "GET", f"{PATIENTS}/{before['id']}").json()["data"] == before
    assert imported(api, line, query="?mode=update") == [{"line": 1, "status": "updated", "id": before["id"]}]
    answer = send(api, "GET", f"{PATIENTS}/{before['id']}")
    assert answer.json()["data"] == before | {"name": "Maria Lopez", "pronouns": None}
    assert answer["ETag"] == '"2"'
    assert imported(api, line, query="?mode=update") == skipped, "nothing differs any more"
    found = send(api, "GET", f"{PATIENTS}?search=lopez").json()["data"]
    assert [one["id"] for one in found] == [before["id"]]


def test_an_export_of_the_same_organisation_updates_by_id_what_has_no_external_id(
    api: Client, organization: Organization
) -> None:
    author = User.objects.create_user("author@example.org")
    Membership.objects.create(organization=organization, user=author, role="member")
    named, nameless = create(api, external_id="E"), create(api)
    [written] = imported(api, note(id="n", patient_external_id="E", created_by=str(author.pk), session_id="s"))
    session = str(Session.objects.get().pk)
    replies = imported(
        api,
        patient(id=named["id"], external_id=None, name="Changed"),
        patient(id=nameless["id"], name="Changed, too"),
        note(id=written["id"], patient_id=named["id"], content="changed", created_by="a stranger"),
        note(patient_id=nameless["id"], session_id=session, created_by="a stranger"),
        note(patient_id=named["id"], session_id=session),
        query="?mode=update",
    )
    assert statuses(replies) == ["updated", "updated", "updated", "created", "created"]
    assert set(Patient.objects.values_list("name", "external_id")) == {("Changed", "E"), ("Changed, too", None)}
    changed, new, added = (Note.objects.get(pk=reply["id"]) for reply in replies[2:])
    assert (changed.content, changed.created_by, new.created_by) == ("changed", author, None)
    assert str(added.session_id) == session != str(new.session_id), "a session is one patient's"


def test_an_appointment_is_updated_and_may_change_its_patient(api: Client) -> None:
    imported(api, patient(external_id="1"), patient(external_id="2"))
    rule = {"frequency": "WEEKLY", "end_date": "2026-07-15"}
    imported(api, appointment(patient_external_id="1", external_id="A", notes="kept", repeat_rule=rule))
    later = appointment(patient_external_id="2", external_id="A", start_at="2026-08-01T10:00:00Z")
    [refused] = imported(api, later, query="?mode=update")
    assert refused["details"] == {"repeat_rule": ["end_date must not be before the day of start_at"]}
    later["data"]["repeat_rule"] = None
    assert statuses(imported(api, later, query="?mode=update")) == ["updated"]
    changed = Appointment.objects.select_related("patient").get()
    assert (changed.patient.external_id, changed.notes, changed.repeat_rule) == ("2", "kept", None)


def test_a_file_without_external_ids_is_known_when_it_is_sent_again_unless_it_was_deleted(api: Client) -> None:
    there = create(api)["id"]
    lines = [appointment(patient_id=there, id="a"), note(patient_id=there, id="n", session_id="s")]
    first = imported(api, *lines)
    assert statuses(first) == ["created", "created"]
    again = imported(api, *lines)
    assert (statuses(again), [reply["id"] for reply in again]) == (["skipped"] * 2, [reply["id"] for reply in first])
    send(api, "DELETE", f"{EXT}/appointments/{first[0]['id']}")
    assert statuses(imported(api, *lines)) == ["created", "skipped"]
    assert statuses(imported(api, *lines)) == ["skipped", "skipped"]
    assert Session.objects.count() == 1


def test_times_of_the_file_are_kept_unless_they_lie_ahead(api: Client) -> None:
    imported(
        api,
        patient(name="past", created_at="2001-02-03T04:05:06.789Z"),
        patient(name="ahead", created_at="9999-12-31T23:59:59Z", updated_at="9999-12-31T23:59:59Z"),
        patient(name="back", created_at="2001-02-03T04:05:06Z", updated_at="1999-01-01T00:00:00Z"),
    )
    rows = {row.name: row for row in Patient.objects.all()}
    shown = [one["created_at"] for one in send(api, "GET", f"{PATIENTS}?sort=created_at").json()["data"]]
    assert "2001-02-03T04:05:06.789Z" in shown
    assert rows["past"].updated_at == rows["past"].created_at
    assert rows["ahead"].created_at <= rows["ahead"].updated_at <= timezone.now()
    assert rows["back"].updated_at == rows["back"].created_at


def test_a_dry_run_replies_alike_and_stores_nothing(api: Client) -> None:
    whole = patient(id="p", external_id="E"), appointment(patient_id="p"), note(patient_external_id="E")
    lines = [*whole, patient(foo=1)]
    dry = imported(api, *lines, query="?dry_run=true")
    assert statuses(dry) == ["created", "created", "created", "error"]
    assert {reply.get("id") for reply in dry} == {None}
    assert not Patient.objects.exists()
    assert statuses(imported(api, *lines)) == statuses(dry)


def test_an_atomic_import_stores_all_or_nothing(api: Client, organization: Organization) -> None:
    lines = [patient(id="p"), appointment(patient_id="p"), note(patient_id="p")]
    replies = imported(api, *lines, appointment(patient_id="x"), query="?atomic=true")
    assert statuses(replies) == ["created", "created", "created", "error", "rolled_back"]
    assert replies[-1] == {"status": "rolled_back"}
    assert not Patient.objects.exists()
    assert count_records(organization.pk, "patient") == 0
    assert imported(api, *lines, query="?atomic=true&dry_run=true")[-1] == {"status": "rolled_back"}
    assert not Patient.objects.exists()
    assert imported(api, *lines, query="?atomic=true")[-1] == {"status": "committed"}
    assert (Patient.objects.count(), Appointment.objects.count(), Note.objects.count()) == (1, 1, 1)
    events = AuditEvent.objects.filter(action="patient.imported").order_by("id")
    assert [(event.outcome, event.reason) for event in events] == [
        ("rolled_back", "appointment created: 1, line failed: 1, note created: 1, patient created: 1"),
        ("rolled_back", "dry run: appointment created: 1, note created: 1, patient created: 1"),
        ("ok", "appointment created: 1, note created: 1, patient created: 1"),
    ]


def test_the_end_of_an_export_is_checked_and_nothing_may_follow_it(api: Client) -> None:
    def end(**counts: Any) -> dict[str, Any]:
        return {"type": "end", "counts": counts}

    assert statuses(imported(api, patient(), end(patients=1, notes=0))) == ["created"], "one that is right is silent"
    _, wrong, after = imported(api, patient(), end(patients=2, notes=True, people=0), patient())
    assert wrong["details"] == {
        "patients": ["Expected 2 lines, found 1: the file was cut or altered"],
        "notes": ["Expected boolean lines, found 0: the file was cut or altered"],
    }
    assert after["error"] == "There is a line after the end of the file"
    [odd] = imported(api, {"type": "end", "counts": 5, "foo": 1})
    assert odd["details"] == {"foo": UNRECOGNIZED, "counts": ["Expected object, received number"]}
    assert imported(api, {"type": "end"})[0]["details"] == {"counts": ["Required"]}
    altered = imported(api, b'{"type": "pat', end(patients=1), query="?atomic=true")
    assert statuses(altered) == ["error", "error", "rolled_back"]


def test_line_ends_a_byte_order_mark_and_blank_lines_do_not_matter(api: Client) -> None:
    line = json.dumps(patient(name="José"), ensure_ascii=False).encode()
    answer = post(api, b"\xef\xbb\xbf" + line + b"\r\n\r\n  \n\t" + line + b" \r\n", query="?unknown=1")
    replies = [json.loads(reply) for reply in content_of(answer).splitlines()]
    assert [(reply["line"], reply["status"]) for reply in replies] == [(1, "created"), (4, "created")]
    assert set(Patient.objects.values_list("name", flat=True)) == {"José"}
    assert content_of(post(api, b"\n\n")) == b""


def test_a_body_that_is_no_file_of_lines_is_refused_whole(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps(patient()).encode()
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    cut = {"wsgi.input": BytesIO(line), "CONTENT_LENGTH": "99", "CONTENT_TYPE": NDJSON}
    for body, extra, error in (
        (line, {"CONTENT_TYPE": "application/json"}, "Content-Type must be application/x-ndjson"),
        (b"", {}, "Send the lines in the body, with a Content-Length header"),
        (line, {"CONTENT_LENGTH": ""}, "Send the lines in the body, with a Content-Length header"),
        (line * 3, {}, "The body has more than 100 bytes. Send it in parts"),
        (b"", cut, "The body was cut off: 99 bytes were announced. Nothing was imported"),
    ):
        answer = post(api, body, **extra)
        assert (answer.status_code, answer.json()) == (400, {"error": error})
    for query in ("mode=replace", "dry_run=1", "atomic="):
        answer = post(api, line, f"?{query}")
        assert (answer.status_code, list(answer.json()["details"])) == (400, [query.partition("=")[0]])
    answer = post(api, line, headers={"idempotency-key": "k"})
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["idempotency-key"])
    assert not Patient.objects.exists()
    assert statuses(imported(api, line)) == ["created"]


def test_each_line_needs_the_write_scope_of_its_type(make_key: MakeKey, organization: Organization) -> None:
    lines = [patient(id="p"), appointment(patient_id="p"), note(patient_id="p"), {"type": "document", "data": {}}]
    key, raw_key = make_key(scopes=["patients:write"])
    replies = imported(with_key(raw_key), *lines)
    assert statuses(replies) == ["created", "error", "error", "error"]
    assert {reply["error"] for reply in replies[1:]} == {"Insufficient scope"}
    refused = AuditEvent.objects.filter(action="api_key.refused", object_id=str(key.pk), path=IMPORT)
    assert sorted(refused.values_list("reason", flat=True)) == [
        "missing scope: *", "missing scope: appointments:write", "missing scope: documents:write",
    ]  # fmt: skip
    assert statuses(imported(with_key(make_key(scopes=["appointments:write"])[1]), lines[0])) == ["error"]
    assert post(with_key(make_key(scopes=["documents:write", "patients:read"])[1]), b"{}").status_code == 403
    member = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=member, role="member")
    browser, said = session_of(member), json.dumps(lines[2])
    answer = browser.generic("POST", f"/browse{IMPORT}", said, NDJSON, headers={"accept": "application/json"})
    assert json.loads(content_of(answer))["error"] == "Insufficient scope", "notes are the admins'"


def test_every_batch_is_kept_by_itself_with_a_row_of_the_trail(
    api: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "BATCH_LINES", 2)
    lines = [patient(name=f"Canary {one}", external_id=f"canary-{one % 4}", id=str(one)) for one in range(5)]
    body = b"\n".join(json.dumps(line).encode() for line in lines)
    first = [json.loads(reply) for reply in begun(post(api, body)).splitlines()]
    assert statuses(first) == ["created"] * 2
    assert set(Patient.objects.values_list("name", flat=True)) == {"Canary 0", "Canary 1"}
    replies = imported(api, *lines)
    assert statuses(replies) == ["skipped", "skipped", "created", "created", "error"], "twice, two batches apart"
    later = imported(api, *lines[:2], appointment(patient_id="1"), appointment(patient_external_id="canary-0"))
    assert statuses(later) == ["skipped", "skipped", "created", "created"], "a patient two batches above"
    assert count_records(organization.pk, "patient") == 4
    events = AuditEvent.objects.filter(action="patient.imported", path=IMPORT, method="POST").exclude(request_id="")
    assert list(events.order_by("id").values_list("reason", flat=True)) == [
        "patient created: 2",
        "patient skipped: 2", "patient created: 2", "line failed: 1",
        "patient skipped: 2", "appointment created: 2",
    ]  # fmt: skip
    assert "anary" not in str(list(AuditEvent.objects.values()))
    assert begun(post(api, body.replace(b"anary-", b"ell-"), query="?atomic=true"))
    assert Patient.objects.count() == 4, "an atomic one whose caller left is undone"


@pytest.mark.django_db(transaction=True)
def test_healos_40_imports_and_creates_of_one_external_id_at_once_make_one(
    make_key: MakeKey, organization: Organization, settings: Any
) -> None:
    settings.HEALOS_RATE_LIMIT = Rate(1000, 60)
    raw_key = make_key()[1]
    lines = [patient(external_id=f"E{number}", name=f"From a file {number}") for number in range(40)]

    def work(number: int) -> list[str]:
        client = with_key(raw_key)
        try:
            if number < 3:
                order = lines if number % 2 else lines[::-1]
                return statuses(imported(client, *order, query="?mode=update" if number == 2 else ""))
            answers = [send(client, "POST", PATIENTS, {"name": "B", "external_id": f"E{one}"}) for one in range(40)]
            return [{201: "created", 409: "skipped"}[answer.status_code] for answer in answers]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        told = Counter(status for some in threads.map(work, range(4)) for status in some)
    assert (told["created"], told["error"], sum(told.values())) == (40, 0, 160)
    assert Patient.objects.count() == count_records(organization.pk, "patient") == 40


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_lost_against_a_deadlock_is_kept_after_it(api: Client, make_key: MakeKey) -> None:
    pks = sorted(int(create(api, external_id=name)["id"]) for name in ("A", "B"))
    raw_key = make_key()[1]

    def importing() -> list[str]:
        try:
            lines = [patient(external_id=name, name="Changed") for name in ("A", "B")]
            return statuses(imported(with_key(raw_key), *lines, query="?mode=update"))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM patients_patient WHERE id = %s FOR UPDATE", [pks[1]])
        replies = other.submit(importing)  # takes the first, and waits for the second
        waiting = 0
        while not waiting:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(WAITING)
            [waiting] = cursor.fetchone()
        with suppress(OperationalError):  # on a machine that is too slow the other one wins
            cursor.execute("SELECT FROM patients_patient WHERE id = %s FOR UPDATE", [pks[0]])
        transaction.set_rollback(True)
    assert replies.result() == ["updated", "updated"]
    assert set(Patient.objects.values_list("name", "version")) == {("Changed", 2)}

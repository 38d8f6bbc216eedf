"""`GET /ext-api/v1/export`, and that an import of it is equal: the contract's line 108. Imports are in
test_imports.py."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.patients.models import Appointment, Document, Note, Patient, Session
from apps.patients.selectors import count_records
from apps.patients.transfer import exporting, viewsets
from helios_site.api.bodies import TooSlow
from tests.conftest import MakeKey
from tests.contract.healos.calls import INVALID, content_of, with_key
from tests.contract.healos.conftest import session_of
from tests.contract.healos.notes import at, make_note, make_patient, make_session
from tests.contract.healos.transfer import EXPORT, begun, exported, post

CODES = {"G47.0": {"text": "Insomnia"}}
IDS = ("id", "patient_id", "session_id")
HISTORY = {"medical_history": "Asthma\n🫁", "family_history": None, "social_history": "", "previous_treatment": "none"}


def fill(organization: Organization) -> Patient:
    """A patient with everything, and one with nothing."""
    patient = make_patient(
        organization,
        name="María \u200fSantos", created_at=at(1), updated_at=at(3),
        external_id="P-1", pronouns="she/her", notes="allergic", consent=True, first_name="María", last_name="Santos",
        date_of_birth="0001-01-01", gender="female", email="m@example.org", phone="+44", mrn="1",
        client_history=HISTORY,
    )  # fmt: skip
    make_patient(organization, name="Nobody", created_at=at(2))
    rule = {"frequency": "WEEKLY", "interval": 2, "end_date": "2026-07-15"}
    Appointment.objects.create(
        organization=organization, patient=patient, appointment_type="Check", visit_type="In-Person",
        start_at="2026-04-15T14:00:00.123Z", duration_minutes=25, notes="by bus", status="NO_SHOW", repeat_rule=rule,
        external_id="A-1",
    )  # fmt: skip
    Document.objects.create(
        organization=organization, patient=patient, filename="letter.pdf", file_type="pdf", file_size=5,
        sha256="0" * 64, storage_key=f"{organization.pk}/documents/1", status="ready",
    )  # fmt: skip
    session = make_session(patient)
    for day, content in enumerate(("first", "second"), 1):
        make_note(
            session,
            created_at=at(day),
            content=content,
            problems=["sleep"],
            icd10_codes={"G47.0": {"text": "Insomnia"}},
        )
    return patient


def comparable(lines: list[dict[str, Any]]) -> list[Any]:
    """Lines of patients, appointments and notes with ids replaced by the order of their first mention."""
    order: dict[str, int] = {}
    kept = [line for line in lines if line["type"] not in ("end", "document")]
    for line in kept:
        data = line["data"]
        data |= {name: order.setdefault(data[name], len(order)) for name in IDS if name in data}
    return kept


@pytest.mark.django_db(transaction=True)
def test_healos_108_an_export_and_its_import_are_equal(
    api: Client, other_api: Client, organization: Organization, other_organization: Organization
) -> None:
    fill(organization)
    answer = api.get(EXPORT)
    assert re.fullmatch(r'attachment; filename="export-\d{8}T\d{6}Z\.ndjson"', answer["Content-Disposition"])
    assert answer["Cache-Control"] == "no-store"
    file = content_of(answer)
    lines = [json.loads(line) for line in file.splitlines()]
    counts = {"patients": 2, "appointments": 1, "documents": 1, "notes": 2}
    assert lines[-1] == {"type": "end", "counts": counts}
    assert [line["type"] for line in lines[:-1]] == [*["patient"] * 2, "appointment", "document", *["note"] * 2]
    replies = [json.loads(line) for line in content_of(post(other_api, file)).splitlines()]
    assert [reply["status"] for reply in replies] == [*["created"] * 3, "skipped", *["created"] * 2]
    assert "bytes of documents" in replies[3]["reason"]
    copied = exported(other_api)
    assert copied[-1]["counts"] == counts | {"documents": 0}
    assert {line["data"]["id"] for line in copied[:-1]}.isdisjoint(line["data"]["id"] for line in lines[:-1])
    assert comparable(copied) == comparable(lines)
    for kind, number in (("patient", 2), ("appointment", 1), ("note", 2)):
        assert count_records(other_organization.pk, kind) == number
    # Once more, there and where it came from: nothing is doubled, though one patient and the notes have no external id.
    again = [json.loads(line)["status"] for line in content_of(post(other_api, file)).splitlines()]
    assert again == ["skipped", "created", *["skipped"] * 4], "that patient is told by its id only where it is from"
    assert {json.loads(line)["status"] for line in content_of(post(api, file)).splitlines()} == {"skipped"}
    assert len(exported(api)) == len(lines)


def run_aside(work: Callable[[], object]) -> None:
    """Over a connection of its own."""

    def worked() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        other.submit(worked).result()


@pytest.mark.django_db(transaction=True)
def test_healos_108_an_export_is_of_one_moment_and_a_cut_one_lacks_its_end(
    api: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PIECE_BYTES", 1)
    patient = fill(organization)
    answer: Any = api.get(EXPORT)
    stream = iter(answer.streaming_content)
    first = [json.loads(next(stream))]
    run_aside(lambda: make_note(Session.objects.get(), content="later"))
    run_aside(lambda: Patient.objects.filter(pk=patient.pk).update(name="later"))
    whole = [*first, *map(json.loads, b"".join(stream).splitlines())]
    assert whole[-1]["counts"]["notes"] == len([line for line in whole if line["type"] == "note"]) == 2
    assert "later" not in str(whole)
    assert json.loads(begun(api.get(EXPORT)))["type"] == "patient"
    assert len(exported(api)) == len(whole) + 1, "the connection is free again"


@pytest.mark.django_db(transaction=True)
def test_an_export_holds_what_was_asked_for_of_the_own_organisation(
    api: Client, other_api: Client, organization: Organization, other_organization: Organization
) -> None:
    patient = fill(organization)
    make_patient(other_organization, name="Theirs")
    assert exported(api, types="notes,patients")[-1] == {"type": "end", "counts": {"patients": 2, "notes": 2}}
    assert [line["type"] for line in exported(api, types="appointments,appointments")] == ["appointment", "end"]
    assert [line["data"]["name"] for line in exported(other_api)[:-1]] == ["Theirs"]
    api.delete(f"/ext-api/v1/patients/{patient.pk}")
    counts = {"patients": 1, "appointments": 0, "documents": 0, "notes": 0}
    assert exported(api)[-1]["counts"] == counts, "what was deleted is not taken away"
    member = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=member, role="member")
    page = session_of(member).get(f"/browse{EXPORT}", headers={"accept": "text/html"})
    assert json.loads(content_of(page).splitlines()[-1])["counts"] == counts


@pytest.mark.django_db(transaction=True)
def test_an_export_that_is_taken_too_slowly_is_cut_off(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewsets, "LONGEST_STREAM_SECONDS", 0.0)
    with pytest.raises(TooSlow):
        content_of(api.get(EXPORT))
    assert not connection.in_atomic_block


@pytest.mark.django_db
def test_an_export_needs_the_read_scope_of_each_type(make_key: MakeKey) -> None:
    key, raw_key = make_key(scopes=["patients:read", "notes:read", "appointments:write"])
    client = with_key(raw_key)
    for types, status in (("patients", 200), ("notes,patients", 200), ("patients,appointments", 403), ("x", 400)):
        assert client.get(EXPORT, {"types": types}).status_code == status, types
    answer = client.get(EXPORT)
    assert (answer.status_code, answer.json()) == (403, {"error": "Insufficient scope"})
    refused = AuditEvent.objects.filter(action="api_key.refused", object_id=str(key.pk))
    assert list(refused.values_list("reason", flat=True)) == ["missing scope: appointments:read"]


@pytest.mark.django_db
def test_an_unknown_type_is_named_and_a_head_exports_nothing(api: Client, django_assert_num_queries: Any) -> None:
    for types in ("patients,people", "", "Patients"):
        answer = api.get(EXPORT, {"types": types})
        assert (answer.status_code, answer.json()["error"], list(answer.json()["details"])) == (400, INVALID, ["types"])
    with django_assert_num_queries(2):  # the key, and the reading
        assert content_of(api.head(EXPORT)) == b""
    event = AuditEvent.objects.get(object_type="patient")
    assert (event.action, event.reason) == ("patient.exported", "types=patients,appointments,documents,notes")
    assert not Note.objects.exists()

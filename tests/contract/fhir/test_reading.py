"""`/fhir/Patient`, `/fhir/Appointment`, `/fhir/DocumentReference`: one record of each."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent, Organization
from apps.patients.documents.links import document_of
from apps.patients.models import Document, Patient
from tests.contract.fhir.records import (
    MEDIA_TYPE,
    issue,
    make_appointment,
    make_document,
    make_patient,
    make_run,
    make_whole_patient,
)

pytestmark = pytest.mark.django_db


def paths_of(patient: Patient) -> dict[str, str]:
    """One resource of each type, and its path."""
    return {
        "Patient": f"/fhir/Patient/{patient.pk}",
        "Appointment": f"/fhir/Appointment/{make_appointment(patient).pk}",
        "DocumentReference": f"/fhir/DocumentReference/{make_document(patient).pk}",
        "Observation": f"/fhir/Observation/{make_run(patient).pk}.mentalStrain",
    }


def test_a_patient_with_everything(api: Client, organization: Organization) -> None:
    patient = make_whole_patient(organization)
    answer = api.get(f"/fhir/Patient/{patient.pk}")
    sid = f"http://127.0.0.1:8000/fhir/sid/{organization.pk}"
    number = {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                "code": "MR",
                "display": "Medical record number",
            }
        ]
    }
    assert (answer.status_code, answer["Content-Type"]) == (200, MEDIA_TYPE)
    assert answer.json() == {
        "resourceType": "Patient",
        "id": str(patient.pk),
        "meta": {"versionId": "3", "lastUpdated": "2026-03-15T09:30:00.000Z"},
        "identifier": [
            {"system": f"{sid}/patient", "value": "EXT-1"},
            {"type": number, "system": f"{sid}/mrn", "value": "MRN-1"},
        ],
        "active": True,
        "name": [{"text": "Maria Santos", "family": "Santos", "given": ["Maria"]}],
        "telecom": [{"system": "phone", "value": "+351 1"}, {"system": "email", "value": "maria@example.org"}],
        "gender": "female",
        "birthDate": "1990-08-24",
    }
    assert (answer["ETag"], answer["Last-Modified"]) == ('W/"3"', "Sun, 15 Mar 2026 09:30:00 GMT")
    assert answer["Cache-Control"] == "no-store"


def test_an_appointment(api: Client, organization: Organization) -> None:
    patient = make_patient(organization)
    rule = {"frequency": "WEEKLY", "interval": 2, "end_date": "2026-07-15"}
    appointment = make_appointment(
        patient, appointment_type="Intake", notes="ground floor", external_id="A-1", repeat_rule=rule
    )
    assert api.get(f"/fhir/Appointment/{appointment.pk}").json() == {
        "resourceType": "Appointment",
        "id": str(appointment.pk),
        "meta": {"versionId": "1", "lastUpdated": "2026-03-15T09:30:00.000Z"},
        "identifier": [
            {"system": f"http://127.0.0.1:8000/fhir/sid/{organization.pk}/appointment", "value": "A-1"},
        ],
        "status": "booked",
        "appointmentType": {"text": "Intake"},
        "start": "2026-03-15T09:30:00.000Z",
        "end": "2026-03-15T10:20:00.000Z",
        "minutesDuration": 50,
        "created": "2026-03-15T09:30:00.000Z",
        "comment": "ground floor\n\nRepeats every 2 weeks until 2026-07-15; this is the first.",
        "participant": [{"actor": {"reference": f"Patient/{patient.pk}"}, "status": "accepted"}],
    }


def test_a_document(api: Client, organization: Organization) -> None:
    patient = make_patient(organization)
    document = make_document(patient, external_id="D-1")
    body = api.get(f"/fhir/DocumentReference/{document.pk}").json()
    url = body["content"][0]["attachment"].pop("url")
    assert document_of(str(document.pk), QueryDict(urlsplit(url).query)) == document.pk
    assert body == {
        "resourceType": "DocumentReference",
        "id": str(document.pk),
        "meta": {"versionId": "2", "lastUpdated": "2026-03-15T09:30:00.000Z"},
        "identifier": [{"system": f"http://127.0.0.1:8000/fhir/sid/{organization.pk}/document", "value": "D-1"}],
        "status": "current",
        "docStatus": "final",
        "subject": {"reference": f"Patient/{patient.pk}"},
        "date": "2026-03-15T09:30:00.000Z",
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "size": 1234,
                    "title": "scan.pdf",
                    "creation": "2026-03-15T09:30:00.000Z",
                }
            }
        ],
    }


@pytest.mark.parametrize(
    ("status", "expected"),
    [("pending", ("1", "current", "preliminary")), ("failed", ("2", "entered-in-error", "entered-in-error"))],
)
def test_a_document_that_is_not_ready(
    api: Client, organization: Organization, status: str, expected: tuple[str, str, str]
) -> None:
    due = timezone.now() if status == "pending" else None
    document = make_document(make_patient(organization), status=status, check_due_at=due)
    body = api.get(f"/fhir/DocumentReference/{document.pk}").json()
    assert (body["meta"]["versionId"], body["status"], body["docStatus"]) == expected
    assert ("url" in body["content"][0]["attachment"]) == (status == "pending"), "as far as the link serves it"


def test_absent_foreign_deleted_and_malformed_are_one_answer(
    api: Client, other_api: Client, organization: Organization
) -> None:
    patient = make_patient(organization)
    paths = paths_of(patient)
    assert {api.get(path).status_code for path in paths.values()} == {200}
    before = AuditEvent.objects.count()
    absent = {
        "Patient": ["1", "0", "abc", "9" * 25, "é", "%00"],
        "Appointment": ["6f1b0d9e-8b0a-4c53-9d0b-3e0d2e1f0a11", "1", "x"],
        "DocumentReference": ["6f1b0d9e-8b0a-4c53-9d0b-3e0d2e1f0a11", "1", "x"],
        "Observation": ["6f1b0d9e-8b0a-4c53-9d0b-3e0d2e1f0a11.mentalStrain", "1", ".", "x.mentalStrain"],
    }
    absent["Observation"] += [paths["Observation"].rpartition("/")[2].replace("mentalStrain", "distress")]
    for resource_type, path in paths.items():
        answers = [other_api.get(path), *(api.get(f"/fhir/{resource_type}/{bad}") for bad in absent[resource_type])]
        assert {answer.content for answer in answers} == {answers[0].content}
        assert issue(answers[0], 404) == ("not-found", f"There is no such {resource_type}.")
    assert AuditEvent.objects.count() == before, "nothing was read"
    now = timezone.now()
    for related in (patient.appointments, patient.documents):
        related.update(deleted_at=now)
    Patient.objects.update(deleted_at=now)
    assert {api.get(path).status_code for path in paths.values()} == {404}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_each_read_leaves_one_row_in_the_trail_which_tells_the_path(
    api: Client, organization: Organization, method: str
) -> None:
    for resource_type, path in paths_of(make_patient(organization)).items():
        before = AuditEvent.objects.count()
        answer = api.generic(method, path)
        assert answer.status_code == 200
        assert bool(answer.content) == (method == "GET")
        event = AuditEvent.objects.latest("id")
        assert AuditEvent.objects.count() == before + 1
        kind = {"DocumentReference": "document", "Observation": "model_run"}.get(resource_type, resource_type.lower())
        assert (event.action, event.path, event.organization_id) == (f"{kind}.read", path, organization.pk)
        assert event.object_id in path


def test_what_the_caller_has_is_304_but_never_a_document_whose_link_expires(
    api: Client, organization: Organization
) -> None:
    for resource_type, path in paths_of(make_patient(organization)).items():
        tag = api.get(path)["ETag"]
        is_document = resource_type == "DocumentReference"
        assert tag == ('W/"2"' if is_document else 'W/"1"')
        answer = api.get(path, headers={"if-none-match": tag})
        assert answer.status_code == (200 if is_document else 304)
        assert answer["ETag"] == tag
        assert api.get(path, headers={"if-none-match": 'W/"3"'}).status_code == 200


def test_reading_costs_the_key_the_record_and_the_row_in_the_trail(
    api: Client, organization: Organization, django_assert_num_queries: Any
) -> None:
    paths = paths_of(make_patient(organization))
    api.get("/fhir/nothing")  # notes when the key was used last
    for path in paths.values():
        with django_assert_num_queries(3):
            api.get(path)


def test_the_file_types_have_media_types(api: Client, organization: Organization) -> None:
    patient = make_patient(organization)
    seen = {}
    for file_type in ("pdf", "jpg", "jpeg", "png", "docx"):
        document: Document = make_document(patient, file_type=file_type)
        [content] = api.get(f"/fhir/DocumentReference/{document.pk}").json()["content"]
        seen[file_type] = content["attachment"]["contentType"]
    assert seen == {
        "pdf": "application/pdf",
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "png": "image/png",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    }

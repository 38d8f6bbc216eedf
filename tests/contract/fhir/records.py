"""Records as the FHIR tests need them, and calls to `/fhir`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings

from apps.accounts.models import Organization
from apps.model_runs.models import ModelRun, Status
from apps.patients.models import Appointment, Document, Patient
from apps.patients.names import folded

MEDIA_TYPE = "application/fhir+json"
AT = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)
VALUES = {
    "mentalStrain": 0.3, "uniformDistress": 0.1, "uniformStress": 0.2, "uniformExhaustion": 0.3,
    "uniformSleepPropensity": 0.4, "uniformLowSelfEsteem": 0.5,
}  # fmt: skip


def make_patient(organization: Organization, **fields: Any) -> Patient:
    fields.setdefault("name", "Maria Santos")
    patient: Patient = Patient.objects.create(
        organization=organization, search_name=folded(fields["name"]), created_at=AT, updated_at=AT, **fields
    )
    return patient


def make_whole_patient(organization: Organization, **fields: Any) -> Patient:
    """One of whom everything is known."""
    return make_patient(
        organization,
        **{
            "first_name": "Maria", "last_name": "Santos", "date_of_birth": date(1990, 8, 24), "gender": "Female",
            "email": "maria@example.org", "phone": "+351 1", "mrn": "MRN-1", "external_id": "EXT-1", "version": 3,
            "pronouns": "she/her", "notes": "allergic", "consent": True, **fields,
        },
    )  # fmt: skip


def make_appointment(patient: Patient, **fields: Any) -> Appointment:
    fields = {**settings.HEALOS_APPOINTMENT_DEFAULTS, "start_at": AT, "created_at": AT, "updated_at": AT, **fields}
    appointment: Appointment = Appointment.objects.create(
        organization_id=patient.organization_id, patient=patient, **fields
    )
    return appointment


def make_document(patient: Patient, **fields: Any) -> Document:
    fields = {"filename": "scan.pdf", "file_type": "pdf", "file_size": 1234, "status": "ready", **fields}
    document: Document = Document.objects.create(
        organization_id=patient.organization_id, patient=patient, sha256="0" * 64, storage_key=str(uuid4()),
        created_at=AT, updated_at=AT, **fields,
    )  # fmt: skip
    return document


def make_run(patient: Patient | None, organization: Organization | None = None, **fields: Any) -> ModelRun:
    """A finished run, with scores."""
    moment = fields.setdefault("created_at", AT)
    fields = {"status": Status.COMPLETE_OK, "scores": VALUES, "model_version": "test", **fields}
    owner = {"organization": organization} if patient is None else {"organization_id": patient.organization_id}
    return ModelRun.objects.create(
        patient=patient, user_label="person-1", upload_expires_at=moment, run_at=moment,
        completed_at=moment + timedelta(seconds=5), **owner, **fields,
    )  # fmt: skip


def make_resource(organization: Organization, resource_type: str) -> str:
    """The id of a new resource of a new patient."""
    patient = make_patient(organization)
    match resource_type:
        case "Appointment":
            return str(make_appointment(patient).pk)
        case "DocumentReference":
            return str(make_document(patient).pk)
        case "Observation":
            return f"{make_run(patient).pk}.mentalStrain"
        case "CodeSystem":
            return "wellness-scores"
    return str(patient.pk)


def here(url: str) -> str:
    """Path and query of an address of ours."""
    base = settings.HELIOS_PUBLIC_BASE_URL
    assert url.startswith(f"{base}/fhir/"), url
    return url.removeprefix(base)


def issue(answer: Any, status: int) -> tuple[str, str]:
    """Code and text of the one issue of an error."""
    assert (answer.status_code, answer["Content-Type"]) == (status, MEDIA_TYPE), answer.content
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    [found] = body["issue"]
    assert found["severity"] == ("fatal" if status == 500 else "error")
    return found["code"], found["diagnostics"]

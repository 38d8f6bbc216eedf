"""Patients with one of everything that is kept of them, each field marked so that it is found again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from django.utils import timezone

from apps.accounts.models import Organization
from apps.patients.models import Appointment, Document, Note, Patient, PatientExport, Session
from apps.patients.names import folded
from helios_site.storage import object_store

MARKED = (
    "name", "pronouns", "patient-notes", "patient-external", "first", "last", "gender", "email", "phone", "mrn",
    "history", "type", "appointment-notes", "appointment-external", "file", "document-external", "document-bytes",
    "title", "said", "summary", "specialty", "template", "content", "problem", "procedure", "icd", "cpt",
)  # fmt: skip


class Kept(NamedTuple):
    patient: Patient
    appointment: Appointment
    document: Document
    session: Session
    note: Note


def store(key: str, content: bytes) -> str:
    with object_store().writer(key) as writer:
        writer.write(content)
        writer.commit()
    return key


def make_patient(organization: Organization, mark: str = "canary", **fields: Any) -> Patient:
    texts: dict[str, Any] = {
        "name": f"{mark}-name",
        "pronouns": f"{mark}-pronouns",
        "notes": f"{mark}-patient-notes",
        "external_id": f"{mark}-patient-external",
        "consent": True,
        **rich(mark),
    }
    texts |= fields
    patient: Patient = Patient.objects.create(organization=organization, search_name=folded(texts["name"]), **texts)
    return patient


def rich(mark: str) -> dict[str, Any]:
    """What only the admin and imports write."""
    return {
        "first_name": f"{mark}-first",
        "last_name": f"{mark}-last",
        "date_of_birth": date(1931, 7, 9),
        "gender": f"{mark}-gender",
        "email": f"{mark}-email@example.net",
        "phone": f"{mark}-phone",
        "mrn": f"{mark}-mrn",
        "client_history": dict.fromkeys(Patient.CLIENT_HISTORY, f"{mark}-history"),
    }


def keep(patient: Patient, mark: str = "canary") -> Kept:
    """`patient` with one of each."""
    of_it: dict[str, Any] = {"organization_id": patient.organization_id, "patient": patient}
    appointment = Appointment.objects.create(
        **of_it,
        appointment_type=f"{mark}-type",
        visit_type="Telehealth",
        start_at=datetime(2026, 4, 15, 14, tzinfo=UTC),
        duration_minutes=50,
        notes=f"{mark}-appointment-notes",
        status="SCHEDULED",
        external_id=f"{mark}-appointment-external",
    )
    content = f"{mark}-document-bytes".encode()
    document_id = uuid4()
    document = Document.objects.create(
        **of_it,
        id=document_id,
        filename=f"{mark}-file.pdf",
        file_type="pdf",
        file_size=len(content),
        sha256="0" * 64,
        storage_key=store(f"{patient.organization_id}/documents/{document_id}/{uuid4().hex}", content),
        status="ready",
        external_id=f"{mark}-document-external",
    )
    session = Session.objects.create(
        **of_it,
        title=f"{mark}-title",
        session_date=date(2026, 4, 15),
        text=f"{mark}-said",
        summary=f"{mark}-summary",
    )
    note = Note.objects.create(
        **of_it,
        session=session,
        specialty=f"{mark}-specialty",
        template_name=f"{mark}-template",
        content=f"{mark}-content",
        problems=[f"{mark}-problem"],
        procedures=[f"{mark}-procedure"],
        icd10_codes={"F41.1": f"{mark}-icd"},
        cpt_codes={"90834": f"{mark}-cpt"},
    )
    return Kept(patient, appointment, document, session, note)


def make_export(patient: Patient, content: bytes = b"canary-archive") -> PatientExport:
    """An archive of the patient that is ready."""
    export = PatientExport(
        organization_id=patient.organization_id, patient=patient, status="ready", expires_at=timezone.now() + WEEK
    )
    export.storage_key = store(f"{patient.organization_id}/exports/{export.id}/{uuid4().hex}", content)
    export.save()
    return export


WEEK = timedelta(days=7)


def left(kept: Kept) -> list[str]:
    """Which of them, and of the document's file, there still are."""
    models: list[tuple[Any, Any]] = [(type(row), row.pk) for row in kept]
    rows = [model.__name__ for model, pk in models if model.objects.filter(pk=pk).exists()]
    try:
        with object_store().local_path(kept.document.storage_key):
            return [*rows, "file"]
    except FileNotFoundError:
        return rows

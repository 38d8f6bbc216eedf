"""Reads of patients. Each begins with the organisation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from apps.patients.models import Appointment, Document, Note, Patient, PatientExport, RecordCount

DOCUMENTS, EXPORTS = "documents", "exports"  # what the keys of their files have after the organisation


def list_patients(organization_id: UUID) -> QuerySet[Any]:
    return Patient.objects.of(organization_id).order_by(*settings.HEALOS_ORDERING["patients"])


def get_patient(organization_id: UUID, patient_id: int) -> Patient | None:
    """The patient, or None: absent, foreign and deleted look the same."""
    found: Patient | None = Patient.objects.of(organization_id).filter(id=patient_id).first()
    return found


def deleted_patients(organization_id: UUID, since: datetime) -> QuerySet[Any]:
    """Those who were deleted at `since` or later, the last of them first."""
    return Patient.objects.deleted_of(organization_id, since).order_by("-deleted_at", "-id")


def count_kept(organization_id: UUID, patient_id: int) -> dict[str, int]:
    """How many live appointments, documents and notes there are of one patient."""
    kinds: dict[str, Any] = {"appointments": Appointment, "documents": Document, "notes": Note}
    return {
        name: model.objects.of(organization_id).filter(patient_id=patient_id).count() for name, model in kinds.items()
    }


def count_records(organization_id: UUID, kind: str) -> int:
    """How many live records of a kind the organisation has, without counting them."""
    changes = RecordCount.objects.filter(organization_id=organization_id, kind=kind)
    return int(changes.aggregate(live=Sum("live"))["live"] or 0)


def is_kept(organization_id: UUID, patient_id: int) -> bool:
    """Whether the organisation has the patient, be it deleted."""
    return bool(Patient.objects.filter(organization_id=organization_id, id=patient_id).exists())


def get_kept(organization_id: UUID, patient_id: int) -> Patient | None:
    """The organisation's patient, be it deleted, or None."""
    return Patient.objects.filter(organization_id=organization_id, id=patient_id).first()


def list_exports(organization_id: UUID, patient_id: int) -> QuerySet[PatientExport]:
    """The archives of a patient who is there, the newest first."""
    return _exports().filter(organization_id=organization_id, patient_id=patient_id).order_by("-created_at", "id")


def get_export(organization_id: UUID, patient_id: int, export_id: UUID) -> PatientExport | None:
    """An archive of a patient who is there, until its time is over, or None."""
    return _exports().filter(organization_id=organization_id, patient_id=patient_id, id=export_id).first()


def downloadable_export(export_id: UUID) -> PatientExport | None:
    """The archive that a signed link names, as long as there is something to download."""
    ready = _exports().filter(status=PatientExport.Status.READY, organization__is_active=True)
    return ready.filter(id=export_id).first()


def files_in_use(keys: list[str]) -> set[str]:
    """Those of these objects of the storage that a document or an export names."""
    return {
        key
        for model in (Document, PatientExport)
        for key in model._default_manager.filter(storage_key__in=keys).values_list("storage_key", flat=True)
    }


def _exports() -> QuerySet[PatientExport]:
    at_hand = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return PatientExport.objects.filter(at_hand, patient__deleted_at__isnull=True)

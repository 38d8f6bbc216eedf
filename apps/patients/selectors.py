"""Reads of patients. Each begins with the organisation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Sum

from apps.patients.models import Patient, RecordCount


def list_patients(organization_id: UUID) -> QuerySet[Any]:
    return Patient.objects.of(organization_id).order_by(*settings.HEALOS_ORDERING["patients"])


def get_patient(organization_id: UUID, patient_id: int) -> Patient | None:
    """The patient, or None: absent, foreign and deleted look the same."""
    found: Patient | None = Patient.objects.of(organization_id).filter(id=patient_id).first()
    return found


def count_records(organization_id: UUID, kind: str) -> int:
    """How many live records of a kind the organisation has, without counting them."""
    changes = RecordCount.objects.filter(organization_id=organization_id, kind=kind)
    return int(changes.aggregate(live=Sum("live"))["live"] or 0)

"""A patient in JSON, and what may be sent of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.patients.models import Patient
from helios_site.api.families.healos.fields import Ignored, StrictSerializer, Text, Truth, timestamp

SHORT = settings.HEALOS_MAX_CHARS["short"]
NOTES = settings.HEALOS_MAX_CHARS["notes"]
LIST_FIELDS = ("id", "name", "created_at", "external_id", "updated_at")


class PatientChangeSerializer(StrictSerializer):
    name = Text(min_length=1, max_length=SHORT)
    pronouns = Text(max_length=SHORT, allow_null=True, required=False)
    notes = Text(max_length=NOTES, allow_null=True, required=False)
    consent = Truth(required=False)
    external_id = Ignored()


class PatientCreateSerializer(PatientChangeSerializer):
    external_id = Text(min_length=1, max_length=SHORT, allow_null=True, required=False)  # type: ignore[assignment]


def patient_item(row: Mapping[str, Any]) -> dict[str, Any]:
    """One of a list; `row` has LIST_FIELDS."""
    item = {
        "id": str(row["id"]),
        "name": row["name"],
        "created_at": timestamp(row["created_at"]),
        "external_id": row["external_id"],
    }
    return item | {"updated_at": timestamp(row["updated_at"])} if settings.HEALOS_EXTRA_FIELDS else item


def patient_body(patient: Patient) -> dict[str, Any]:
    body = {
        "id": str(patient.pk),
        "name": patient.name,
        "created_at": timestamp(patient.created_at),
        "pronouns": patient.pronouns,
        "notes": patient.notes,
        "consent": patient.consent,
        "external_id": patient.external_id,
    }
    return body | {"updated_at": timestamp(patient.updated_at)} if settings.HEALOS_EXTRA_FIELDS else body

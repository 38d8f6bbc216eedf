"""An appointment in JSON, and what may be sent of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.patients.ids import parse_patient_id
from apps.patients.models import Appointment
from helios_site.api.families.healos.fields import (
    Choice,
    Day,
    Ignored,
    Instant,
    Nested,
    StrictSerializer,
    Text,
    Whole,
    timestamp,
)
from helios_site.api.families.healos.openapi import PATIENT_ID
from helios_site.api.families.schema import Schema

SHORT = settings.HEALOS_MAX_CHARS["short"]
NOTES = settings.HEALOS_MAX_CHARS["notes"]
DEFAULTS = settings.HEALOS_APPOINTMENT_DEFAULTS
MAX_INTEGER = 2**31 - 1  # of the columns
FIELDS = (
    "id", "patient_id", "patient__name", "appointment_type", "visit_type", "start_at", "duration_minutes", "notes",
    "status", "repeat_rule", "external_id", "created_at", "updated_at",
)  # fmt: skip


class PatientId(Text):
    """The id of a patient; None for a text that can be none, which then is as absent as an unknown one."""

    def __init__(self) -> None:
        super().__init__(max_length=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

    def to_internal_value(self, data: Any) -> Any:
        return parse_patient_id(super().to_internal_value(data))

    def value_schema(self) -> Schema:
        return PATIENT_ID


class RepeatRuleSerializer(StrictSerializer):
    frequency = Choice(choices=settings.HEALOS_REPEAT_FREQUENCIES)
    interval = Whole(low=1, high=MAX_INTEGER, required=False)
    end_date = Day(allow_null=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The rule as it is kept."""
        end_date = attrs.get("end_date")
        return {
            "frequency": attrs["frequency"],
            "interval": attrs.get("interval", 1),
            "end_date": end_date and end_date.isoformat(),
        }


class AppointmentChangeSerializer(StrictSerializer):
    """`initial` is what the forms of the browsable API show."""

    patient_id = PatientId()
    appointment_type = Text(max_length=SHORT, required=False, initial=DEFAULTS["appointment_type"])
    visit_type = Choice(choices=Appointment.VisitType.values, required=False, initial=DEFAULTS["visit_type"])
    start_at = Instant()
    duration_minutes = Whole(low=1, high=MAX_INTEGER, required=False, initial=DEFAULTS["duration_minutes"])
    notes = Text(max_length=NOTES, required=False)
    status = Choice(choices=Appointment.Status.values, required=False, initial=DEFAULTS["status"])
    repeat_rule = Nested(RepeatRuleSerializer, allow_null=True, required=False)
    external_id = Ignored()


class AppointmentCreateSerializer(AppointmentChangeSerializer):
    external_id = Text(min_length=1, max_length=SHORT, allow_null=True, required=False)  # type: ignore[assignment]


def appointment_item(row: Mapping[str, Any]) -> dict[str, Any]:
    """`row` has FIELDS."""
    rule = row["repeat_rule"]
    return {
        "id": str(row["id"]),
        "patient_id": str(row["patient_id"]),
        "patient_name": row["patient__name"],
        "appointment_type": row["appointment_type"],
        "visit_type": row["visit_type"],
        "start_at": timestamp(row["start_at"]),
        "duration_minutes": row["duration_minutes"],
        "notes": row["notes"],
        "status": row["status"],
        # The database keeps the values of a rule, not their order.
        "repeat_rule": rule and {name: rule[name] for name in ("frequency", "interval", "end_date")},
        "external_id": row["external_id"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def appointment_body(appointment: Appointment) -> dict[str, Any]:
    return appointment_item({**vars(appointment), "patient__name": appointment.patient.name})

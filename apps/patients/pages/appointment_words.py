"""Appointments in words, for the pages that show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.patients.models import Appointment

STATUSES = {
    Appointment.Status.SCHEDULED.value: "Scheduled",
    Appointment.Status.COMPLETED.value: "Completed",
    Appointment.Status.CANCELLED.value: "Cancelled",
    Appointment.Status.NO_SHOW.value: "Did not come",
}
VISITS = {
    Appointment.VisitType.IN_PERSON.value: "In person",
    Appointment.VisitType.TELEHEALTH.value: "Telehealth",
    Appointment.VisitType.BOTH.value: "In person and telehealth",
    Appointment.VisitType.OTHER.value: "Other",
}
FREQUENCIES = {"DAILY": "Every day", "WEEKLY": "Every week", "MONTHLY": "Every month", "YEARLY": "Every year"}
_UNITS = {"DAILY": "days", "WEEKLY": "weeks", "MONTHLY": "months", "YEARLY": "years"}


def rule_words(rule: Mapping[str, Any] | None) -> str:
    """How an appointment is repeated: "Every 2 weeks until 2026-12-31"; empty for one that is not."""
    if rule is None:
        return ""
    interval = rule["interval"]
    often = FREQUENCIES[rule["frequency"]] if interval == 1 else f"Every {interval} {_UNITS[rule['frequency']]}"
    return f"{often} until {rule['end_date']}" if rule["end_date"] else often


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """`row`, with its status, its kind and its rule in words."""
    return {
        **row,
        "status_words": STATUSES[row["status"]],
        "visit_words": VISITS[row["visit_type"]],
        "rule_words": rule_words(row["repeat_rule"]),
    }

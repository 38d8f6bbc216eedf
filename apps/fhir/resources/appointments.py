"""An appointment as FHIR's Appointment.

R4 knows no repetition: a repeated appointment is its first occurrence, and the comment says how it goes on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.patients.models import Appointment
from helios_site.api.families.fhir.elements import Element, identifiers, instant, reference, resource, text_of

_STATUSES = {
    Appointment.Status.SCHEDULED: "booked",
    Appointment.Status.COMPLETED: "fulfilled",
    Appointment.Status.CANCELLED: "cancelled",
    Appointment.Status.NO_SHOW: "noshow",
}
_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_LAST = datetime.max.replace(tzinfo=UTC)


def appointment_resource(appointment: Appointment) -> Element:
    start, minutes = appointment.start_at, appointment.duration_minutes
    # R4 wants an end beside each start; the years of a `dateTime` stop at 9999.
    end = start + timedelta(minutes=min(minutes, (_LAST - start) // timedelta(minutes=1)))
    comment = [text_of(appointment.notes), _repetition(appointment.repeat_rule)]
    appointment_type = text_of(appointment.appointment_type)
    return resource(
        "Appointment",
        appointment.pk,
        appointment.version,
        appointment.updated_at,
        identifier=identifiers(appointment.organization_id, "appointment", appointment.external_id),
        status=_STATUSES[Appointment.Status(appointment.status)],
        appointmentType={"text": appointment_type} if appointment_type else None,
        start=instant(start),
        end=instant(end),
        minutesDuration=minutes,
        created=instant(appointment.created_at),
        comment="\n\n".join(part for part in comment if part),
        # Nobody is asked to take part here: who books has agreed on the time.
        participant=[{"actor": reference("Patient", appointment.patient_id), "status": "accepted"}],
    )


def _repetition(rule: dict[str, Any] | None) -> str | None:
    """How it goes on, in a sentence."""
    if rule is None:
        return None
    interval, unit, last = rule.get("interval", 1), _UNITS[rule["frequency"]], rule.get("end_date")
    every = f"every {unit}" if interval == 1 else f"every {interval} {unit}s"
    return f"Repeats {every}{f' until {last}' if last else ''}; this is the first."

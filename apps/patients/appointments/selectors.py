"""Reads of appointments. Each begins with the organisation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from apps.patients.appointments.recurrence import MOST_OCCURRENCES, Span, occurrences
from apps.patients.models import Appointment
from apps.patients.services.records import restorable_since

ROWS_AT_ONCE = 2000


class TooMany(Exception):
    """More occurrences than MOST_OCCURRENCES."""


def list_appointments(organization_id: UUID) -> QuerySet[Any]:
    return Appointment.objects.of(organization_id).order_by(*settings.HEALOS_ORDERING["appointments"])


def get_appointment(organization_id: UUID, appointment_id: UUID) -> Appointment | None:
    """The appointment with its patient, or None: absent, foreign and deleted look the same."""
    found: Appointment | None = (
        Appointment.objects.of(organization_id).filter(id=appointment_id).select_related("patient").first()
    )
    return found


def unfolded(appointments: QuerySet[Any], span: Span) -> list[tuple[UUID, datetime]]:
    """Each time that one of `appointments` takes place in `span`, with its id. They come in the order of the
    appointments, of a repeated one the earlier first. Raises TooMany."""
    begin, end = span.moments
    rows = _with_last_day(appointments).filter(
        Q(start_at__gte=begin) | Q(repeat_rule__isnull=False, last_day__gte=span.first.isoformat()), start_at__lt=end
    )
    found: list[tuple[UUID, datetime]] = []
    for appointment_id, start_at, rule in rows.values_list("id", "start_at", "repeat_rule").iterator(ROWS_AT_ONCE):
        found.extend((appointment_id, moment) for moment in occurrences(start_at, rule, span))
        if len(found) > MOST_OCCURRENCES:
            raise TooMany
    return found


def next_after(appointments: QuerySet[Any], span: Span) -> datetime | None:
    """From when on one of `appointments` may take place again after `span`; None when none does."""
    _, end = span.moments
    repeated = Q(start_at__lt=end, repeat_rule__isnull=False, last_day__gt=span.last.isoformat())
    later = _with_last_day(appointments).aggregate(
        first=Min("start_at", filter=Q(start_at__gte=end)), repeated=Count("id", filter=repeated)
    )
    first: datetime | None = end if later["repeated"] else later["first"]
    return first


def restorable(organization_id: UUID, patient_id: int) -> QuerySet[Any]:
    """Those of a patient that were deleted by themselves and can be brought back, the last one first."""
    gone: QuerySet[Any] = Appointment.objects.deleted_of(organization_id, restorable_since())
    return gone.filter(patient_id=patient_id, deleted_with_patient=False).order_by("-deleted_at", "id")


def by_id(organization_id: UUID, ids: set[UUID], fields: tuple[str, ...]) -> dict[UUID, dict[str, Any]]:
    """These fields of those of the appointments that are still there."""
    rows = Appointment.objects.of(organization_id).filter(id__in=ids).values(*fields)
    return {row["id"]: row for row in rows}


def _with_last_day(appointments: QuerySet[Any]) -> QuerySet[Any]:
    """With the last day of the rule as `last_day`; of one without an end, the last of the calendar."""
    last_day = Coalesce(KT("repeat_rule__end_date"), Value(date.max.isoformat(), TextField()))
    with_it: QuerySet[Any] = appointments.annotate(last_day=last_day)
    return with_it

"""The appointments of a patient: those to come, unfolded, and those before today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.accounts.selectors import zone_of
from apps.patients.appointments import selectors, services
from apps.patients.appointments.recurrence import Span
from apps.patients.appointments.serializers import FIELDS
from apps.patients.models import Appointment, Patient
from apps.patients.pages import appointment_words as words
from apps.patients.pages.care import (
    PAGE_SIZE,
    Place,
    day_of,
    deleted_page,
    pack_place,
    patient_of,
    read_place,
    record_page,
    version_of,
)
from helios_site.api.families.healos.errors import VersionConflict
from helios_site.api.families.healos.query import first_moment

COMING_DAYS = 56  # that are unfolded at once
BEFORE_ALL = UUID(int=0)


class Part(NamedTuple):
    """Some of a list, and the place from which another page goes on; empty at its end."""

    rows: list[dict[str, Any]]
    onward: str
    is_too_much: bool = False  # to be shown at all


def today(zone: ZoneInfo) -> date:
    """By the clocks of the organisation: who looks may be elsewhere, and has no say before the page is there."""
    return day_of(timezone.now(), zone)


@require_safe
@for_members
def appointment_list(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    """Both lists; with `after` or `before` the further part of one."""
    patient = patient_of(current, patient_id)
    zone = zone_of(current.organization)
    restorable = selectors.restorable(current.organization_id, patient.pk)
    after, before = read_place(request, "after"), read_place(request, "before")
    coming = None if before else _coming(patient, after, zone)
    past = None if after else _past(patient, before, zone)
    services.record_read(
        actor=audit.by_user(request.user), organization_id=current.organization_id, appointment_id=None
    )
    is_first = after is None and before is None
    context = {
        "coming": coming,
        "past": past,
        "cancelled": _cancelled(patient, zone) if is_first else None,
        "is_first": is_first,
        "deleted": deleted_page(request, restorable) if is_first else None,
        "weeks": COMING_DAYS // 7,
        "restorable_days": settings.SOFT_DELETE_DAYS,
        "day_zone": zone.key,
    }
    return record_page(request, patient, "patient-appointments", "patients/appointments.html", context)


def _coming(patient: Patient, after: Place | None, zone: ZoneInfo) -> Part:
    """Each time that an appointment takes place from today, or from the place on, for COMING_DAYS. Those that were
    cancelled do not."""
    first = day_of(after[0], zone) if after else today(zone)
    appointments = _of(patient).exclude(status=Appointment.Status.CANCELLED)
    span = Span(first, _days_after(first, COMING_DAYS - 1), zone)
    try:
        found = sorted((at, one) for one, at in selectors.unfolded(appointments, span))
    except selectors.TooMany:
        return Part([], "", is_too_much=True)
    if after:
        found = [place for place in found if place > after]
    rows = selectors.by_id(patient.organization_id, {one for _, one in found[:PAGE_SIZE]}, FIELDS)
    shown = [words.shown(rows[one] | {"start_at": at}) for at, one in found[:PAGE_SIZE] if one in rows]
    if len(found) > PAGE_SIZE:
        return Part(shown, pack_place(found[PAGE_SIZE - 1]))
    later = selectors.next_after(appointments, span)
    return Part(shown, pack_place((later, BEFORE_ALL)) if later else "")


def _of(patient: Patient) -> QuerySet[Any]:
    return selectors.list_appointments(patient.organization_id).filter(patient_id=patient.pk)


def _days_after(day: date, days: int) -> date:
    return day + timedelta(days=min(days, (date.max - day).days))


def _cancelled(patient: Patient, zone: ZoneInfo) -> Part:
    """The first ones that would have begun from today on; one that is repeated once, at its first time."""
    rows = _of(patient).filter(status=Appointment.Status.CANCELLED, start_at__gte=first_moment(today(zone), zone))
    found = list(rows.order_by("start_at", "id").values(*FIELDS)[: PAGE_SIZE + 1])
    return Part([words.shown(row) for row in found[:PAGE_SIZE]], "", is_too_much=len(found) > PAGE_SIZE)


def _past(patient: Patient, before: Place | None, zone: ZoneInfo) -> Part:
    """The appointments that began before today, the last one first; one that is repeated once, at its first time."""
    rows = _of(patient).filter(start_at__lt=first_moment(today(zone), zone)).order_by("-start_at", "-id")
    if before:
        moment, identifier = before
        rows = rows.filter(start_at__lte=moment).filter(Q(start_at__lt=moment) | Q(id__lt=identifier))
    found = list(rows.values(*FIELDS)[: PAGE_SIZE + 1])
    shown = [words.shown(row) for row in found[:PAGE_SIZE]]
    last = shown[-1] if len(found) > PAGE_SIZE else None
    return Part(shown, pack_place((last["start_at"], last["id"])) if last else "")


@require_POST
@for_members
def cancel(request: HttpRequest, current: Membership, patient_id: int, appointment_id: UUID) -> HttpResponse:
    appointment = appointment_of(current, patient_id, appointment_id)
    try:
        changed = services.change_appointment(
            actor=audit.by_user(request.user),
            organization_id=current.organization_id,
            appointment_id=appointment.pk,
            changes={"status": Appointment.Status.CANCELLED.value},
            expected_version=version_of(request),
        )
    except VersionConflict:
        return _look_again(request, appointment)
    if changed is None:
        raise Http404
    return _back(request, patient_id, "Cancelled: the appointment stays in the record.")


@require_POST
@for_members
def delete(request: HttpRequest, current: Membership, patient_id: int, appointment_id: UUID) -> HttpResponse:
    appointment = appointment_of(current, patient_id, appointment_id)
    try:
        is_done = services.delete_appointment(
            actor=audit.by_user(request.user),
            organization_id=current.organization_id,
            appointment_id=appointment.pk,
            expected_version=version_of(request),
        )
    except VersionConflict:
        return _look_again(request, appointment)
    if not is_done:
        raise Http404
    return _back(request, patient_id, f"Deleted. For {settings.SOFT_DELETE_DAYS} days you can restore it below.")


@require_POST
@for_members
def restore(request: HttpRequest, current: Membership, patient_id: int, appointment_id: UUID) -> HttpResponse:
    patient = patient_of(current, patient_id)
    if not selectors.restorable(current.organization_id, patient.pk).filter(id=appointment_id).exists():
        raise Http404
    try:
        restored = services.restore_appointment(
            actor=audit.by_user(request.user), organization_id=current.organization_id, appointment_id=appointment_id
        )
    except services.ExternalIdTaken:
        messages.error(request, "Not restored: another appointment has its id in your records by now.")
        return redirect("patient-appointments", patient_id)
    if restored is None:
        raise Http404
    return _back(request, patient_id, "Restored.")


def appointment_of(current: Membership, patient_id: int, appointment_id: UUID) -> Appointment:
    """With its patient. Raises Http404, also for an appointment of somebody else."""
    appointment = selectors.get_appointment(current.organization_id, appointment_id)
    if appointment is None or appointment.patient_id != patient_id:
        raise Http404
    return appointment


def _look_again(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    messages.error(request, "Nothing was done: somebody changed this appointment meanwhile. Look at it, then decide.")
    return redirect("patient-appointment", appointment.patient_id, appointment.pk)


def _back(request: HttpRequest, patient_id: int, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("patient-appointments", patient_id)

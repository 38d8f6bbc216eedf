"""The form of an appointment: a new one, and changes of one that nobody else changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import ValidationError as Refused

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.accounts.selectors import zone_of
from apps.patients.appointments import services
from apps.patients.appointments.serializers import (
    DEFAULTS,
    FIELDS,
    NOTES,
    SHORT,
    AppointmentChangeSerializer,
    AppointmentCreateSerializer,
)
from apps.patients.models import Appointment, Patient
from apps.patients.pages import appointment_words as words
from apps.patients.pages.appointments import appointment_of
from apps.patients.pages.care import patient_of, record_page, version_of
from helios_site.api.families.healos.errors import VersionConflict
from helios_site.api.families.healos.fields import timestamp
from helios_site.zones import read_moment, shown_moment, zone_named

RULE = ("frequency", "interval", "end_date")
PLAIN = ("appointment_type", "visit_type", "duration_minutes", "status", "notes")
TYPED = (*PLAIN, *RULE, "start_at", "zone", "version")
# What the checks of the API refuse, in the words of a form.
WRONG = {
    "appointment_type": f"Name the kind of appointment in at most {SHORT} characters.",
    "visit_type": "Choose how you meet.",
    "start_at": "Enter a date and a time, such as 2026-03-01 14:30.",
    "duration_minutes": "Enter the length in whole minutes, at least 1.",
    "status": "Choose a status.",
    "notes": f"Shorten the notes to {NOTES:,} characters.",
    "frequency": "Choose how often it is repeated.",
    "interval": "Enter a whole number, at least 1.",
    "end_date": "Enter the last day as a date, such as 2026-12-31, or leave it empty.",
}
ENDS_TOO_EARLY = "The last day must not be before the appointment itself."
Errors = dict[str, str]  # by field of the form


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    patient = patient_of(current, patient_id)
    if request.method != "POST":
        return _page(request, patient, _values(DEFAULTS))
    typed = _typed(request)
    sent, errors = _read(typed)
    fields = _validated(AppointmentCreateSerializer(data={**sent, "patient_id": str(patient.pk)}), errors)
    if not errors:
        try:
            services.create_appointment(
                actor=audit.by_user(request.user), organization_id=current.organization_id, fields=fields
            )
        except services.PatientMissing:
            raise Http404 from None
        except ValidationError:
            errors["end_date"] = ENDS_TOO_EARLY
    if errors:
        return _page(request, patient, typed, errors=errors, status=400)
    messages.success(request, "The appointment is made.")
    return redirect("patient-appointments", patient.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def change(request: HttpRequest, current: Membership, patient_id: int, appointment_id: UUID) -> HttpResponse:
    appointment = appointment_of(current, patient_id, appointment_id)
    if request.method != "POST":
        return _kept(request, current, appointment, _values(vars(appointment)))
    typed = _typed(request)
    sent, errors = _read(typed, appointment)
    changes = _validated(AppointmentChangeSerializer(data=sent, partial=True), errors)
    if not errors:
        try:
            changed = services.change_appointment(
                actor=audit.by_user(request.user),
                organization_id=current.organization_id,
                appointment_id=appointment.pk,
                changes=changes,
                expected_version=version_of(request),
            )
        except VersionConflict:
            # What is kept now is shown beside what was typed: to save once more replaces it knowingly.
            fresh = appointment_of(current, patient_id, appointment_id)
            return _kept(request, current, fresh, {**typed, "version": fresh.version}, is_stale=True, status=409)
        except ValidationError:
            errors["end_date"] = ENDS_TOO_EARLY
        else:
            if changed is None:
                raise Http404
            messages.success(request, "Saved.")
            return redirect("patient-appointments", patient_id)
    return _page(request, appointment.patient, typed, appointment=appointment, errors=errors, status=400)


def _kept(
    request: HttpRequest, current: Membership, appointment: Appointment, values: Mapping[str, Any], **more: Any
) -> HttpResponse:
    """The page of an appointment that shows what is kept of it, which is on the record."""
    services.record_read(
        actor=audit.by_user(request.user), organization_id=current.organization_id, appointment_id=appointment.pk
    )
    return _page(request, appointment.patient, values, appointment=appointment, **more)


def _page(
    request: HttpRequest,
    patient: Patient,
    values: Mapping[str, Any],
    *,
    appointment: Appointment | None = None,
    errors: Errors | None = None,
    is_stale: bool = False,
    status: int = 200,
) -> HttpResponse:
    row = None
    if appointment is not None:
        row = words.shown({name: getattr(appointment, name) for name in FIELDS if name != "patient__name"})
    context = {
        "appointment": row,
        "version": appointment and appointment.version,
        "values": values,
        "errors": errors or {},
        "problem": bool(errors) or is_stale,
        "is_stale": is_stale,
        "statuses": words.STATUSES.items(),
        "visits": words.VISITS.items(),
        "frequencies": words.FREQUENCIES.items(),
        "day_zone": zone_of(patient.organization).key,
        "restorable_days": settings.SOFT_DELETE_DAYS,
        "longest_type": SHORT,
        "longest_notes": NOTES,
    }
    return record_page(request, patient, "patient-appointments", "patients/appointment_form.html", context, status)


def _values(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows of an appointment, or of the defaults of a new one."""
    rule = kept["repeat_rule"] or {"frequency": "", "interval": 1, "end_date": None}
    return {
        **{name: kept[name] for name in PLAIN},
        **{name: rule[name] or "" for name in RULE},
        "start_at": shown_moment(kept.get("start_at")),
        "zone": "UTC",
        "version": kept.get("version", ""),
    }


def _typed(request: HttpRequest) -> dict[str, str]:
    """Ends of lines as texts are kept: browsers send two characters for one."""
    return {name: request.POST.get(name, "").replace("\r\n", "\n") for name in TYPED}


def _read(typed: Mapping[str, str], present: Appointment | None = None) -> tuple[dict[str, Any], Errors]:
    """The form as a body of the API, and what of it can be none. The moment is left out where the form shows the
    present one, which may have seconds, or be the second of two that clocks show alike."""
    sent: dict[str, Any] = {name: typed[name] for name in PLAIN}
    sent["duration_minutes"] = _whole(typed["duration_minutes"])
    sent["repeat_rule"] = _rule(typed) if typed["frequency"] else None
    errors: Errors = {}
    if not sent["appointment_type"].strip():
        errors["appointment_type"] = WRONG["appointment_type"]
    if present is not None and typed["start_at"] == _clock(present.start_at, typed["zone"]):
        return sent, errors
    try:
        sent["start_at"] = timestamp(read_moment(typed["start_at"], typed["zone"]))
    except ValidationError as error:
        errors["start_at"] = " ".join(error.messages)
    return sent, errors


def _clock(moment: datetime, zone_name: str) -> str:
    """What the form shows of the moment to who is in that zone."""
    zone = zone_named(zone_name or "UTC")
    try:
        return "" if zone is None else moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    except OverflowError:  # there it is before the year 1, or after 9999
        return ""


def _rule(typed: Mapping[str, str]) -> dict[str, Any]:
    end_date = typed["end_date"].strip() or None
    return {"frequency": typed["frequency"], "interval": _whole(typed["interval"]), "end_date": end_date}


def _whole(text: str) -> int | str:
    """The number, or the text that is none, which is refused as such."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else text


def _validated(serializer: Any, errors: Errors) -> dict[str, Any]:
    """What the API's serializer makes of the form; what it refuses goes into `errors`, which may hold some already."""
    try:
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)
    except Refused as refused:
        for name in _names(refused.detail):
            errors.setdefault(name, WRONG[name])
        return {}


def _names(detail: Any) -> Iterator[str]:
    for name, inner in detail.items():
        if name == "repeat_rule" and isinstance(inner, dict):
            yield from inner
        else:
            yield name

"""The first page of a patient's record: who it is, consent, wellness over time, and the last runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.accounts.selectors import zone_of
from apps.model_runs import selectors
from apps.model_runs.pages.history import latest_history
from apps.model_runs.pages.result import STATUSES
from apps.model_runs.pages.views import LIST_FIELDS, UNFINISHED
from apps.model_runs.summary import NO_DIAGNOSIS
from apps.patients import selectors as patient_selectors
from apps.patients.appointments import selectors as appointment_selectors
from apps.patients.appointments.recurrence import Span
from apps.patients.models import Appointment, Patient
from apps.patients.pages.care import patient_of
from apps.patients.services import trail

LAST_RUNS = 5
COMING_DAYS = 90  # that the next appointment is looked for in
FACTS = {
    "pronouns": "Pronouns",
    "first_name": "First name",
    "last_name": "Last name",
    "date_of_birth": "Date of birth",
    "gender": "Gender",
    "mrn": "MRN",
    "email": "E-mail",
    "phone": "Phone",
}
CLIENT_HISTORY = {
    "medical_history": "Medical history",
    "family_history": "Family history",
    "social_history": "Social history",
    "previous_treatment": "Previous treatment",
}


@require_safe
@for_members
def patient_page(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    organization_id = current.organization_id
    patient = patient_of(current, patient_id)
    runs = selectors.list_runs(organization_id).filter(patient_id=patient_id)
    last = list(runs.values(*LIST_FIELDS)[: LAST_RUNS + 1])
    context = {
        "current": current,
        "patient": patient,
        "section": "patient",
        "facts": list(_facts(patient)),
        "client_history": list(_client_history(patient)),
        "history": latest_history(runs),
        "no_diagnosis": NO_DIAGNOSIS,
        "window_days": settings.HELIOS_BASELINE_WINDOW_DAYS,
        "runs": [{**row, "status_words": STATUSES[row["status"]]} for row in last[:LAST_RUNS]],
        "open_checks": 0 if patient.consent else selectors.count_open(organization_id, patient_id),
        "has_more_runs": len(last) > LAST_RUNS,
        "waits": any(row["status"] in UNFINISHED for row in last[:LAST_RUNS]),
        "kept": patient_selectors.count_kept(organization_id, patient_id),
        **_next_appointment(patient, zone_of(current.organization)),
        "coming_days": COMING_DAYS,
    }
    _record(request, patient)
    return render(request, "patients/overview.html", context)


def _facts(patient: Patient) -> Iterator[tuple[str, Any]]:
    for name, title in FACTS.items():
        value = getattr(patient, name)
        if value:
            yield title, value


def _client_history(patient: Patient) -> Iterator[tuple[str, str]]:
    for name, title in CLIENT_HISTORY.items():
        text = (patient.client_history or {}).get(name)
        if text:
            yield title, text


def _next_appointment(patient: Patient, zone: ZoneInfo) -> dict[str, Any]:
    """The moment of the next one that is to take place, if it is within COMING_DAYS, or that there are too many to look
    for it."""
    now = timezone.now()
    today = now.astimezone(zone).date()
    scheduled = appointment_selectors.list_appointments(patient.organization_id).filter(
        patient_id=patient.pk, status=Appointment.Status.SCHEDULED
    )
    span = Span(today, today + timedelta(days=COMING_DAYS), zone)
    try:
        coming = appointment_selectors.unfolded(scheduled, span)
    except appointment_selectors.TooMany:
        return {"has_too_many_appointments": True}
    return {"next_appointment": min((moment for _, moment in coming if moment >= now), default=None)}


def _record(request: HttpRequest, patient: Patient) -> None:
    """As the API's reads of the same."""
    actor = audit.by_user(request.user)
    for kind, verb, object_id in (
        ("patient", "read", patient.pk),
        ("patient", "model_runs_listed", patient.pk),
        ("patient", "wellness_read", patient.pk),
        ("appointment", "listed", ""),
    ):
        trail.record(kind, verb, actor=actor, organization_id=patient.organization_id, object_id=object_id)

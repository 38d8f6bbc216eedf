"""The forms of a patient: a new one, a change, and deletion."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.patients import selectors, services
from apps.patients.models import Patient
from apps.patients.pages.care import patient_of, version_of
from apps.patients.pages.forms import LABELS, NewPatientForm, PatientForm, mark, marks_of, read_marks, values_of
from helios_site.api.families.healos.errors import VersionConflict


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new(request: HttpRequest, current: Membership) -> HttpResponse:
    if request.method != "POST":
        return render(request, "patients/new.html", {"current": current, "form": NewPatientForm()})
    form, status, taken = NewPatientForm(request.POST), 400, None
    if form.is_valid():
        try:
            patient = services.create_patient(
                actor=audit.by_user(request.user), organization_id=current.organization_id, fields=form.cleaned_data
            )
            messages.success(request, "The patient is on record.")
            return redirect("patient", patient.pk)
        except services.ExternalIdTaken as error:
            status, taken = 409, error.existing
            _record_read(request, taken)  # the page names who has the id
            form.add_error("external_id", "Another patient has this id already. Open that one, or give another id.")
    context = {"current": current, "form": form, "taken": taken, "problem": True}
    return render(request, "patients/new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def edit(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    patient = patient_of(current, patient_id)
    if request.method != "POST":
        _record_read(request, patient)
        return _edit_page(request, current, patient, PatientForm(initial=values_of(patient)))
    form, seen = PatientForm(request.POST), request.POST.get("seen", "")
    version = version_of(request)
    if not form.is_valid():
        return _edit_page(request, current, patient, form, version=version, seen=seen, status=400)
    try:
        changed = services.change_patient(
            actor=audit.by_user(request.user),
            organization_id=current.organization_id,
            patient_id=patient_id,
            changes=_changes(patient, form),
            expected_version=version,
        )
    except VersionConflict:
        return _stale(request, current, patient_of(current, patient_id), form.cleaned_data, read_marks(seen))
    if changed is None:
        raise Http404
    messages.success(request, "Saved.")
    return redirect("patient", patient_id)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def delete(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    """Say what goes along, and delete with the next click."""
    patient = patient_of(current, patient_id)
    is_stale = False
    if request.method == "POST":
        try:
            if not services.delete_patient(
                actor=audit.by_user(request.user),
                organization_id=current.organization_id,
                patient_id=patient_id,
                expected_version=version_of(request),
            ):
                raise Http404
            messages.success(
                request, f"The patient is deleted, and can be restored for {settings.SOFT_DELETE_DAYS} days."
            )
            return redirect("patients-deleted")
        except VersionConflict:
            is_stale = True
            patient = patient_of(current, patient_id)
    _record_read(request, patient)
    context = {
        "current": current,
        "patient": patient,
        "kept": selectors.count_kept(current.organization_id, patient_id),
        "days": settings.SOFT_DELETE_DAYS,
        "problem": is_stale,
    }
    return render(request, "patients/delete.html", context, status=409 if is_stale else 200)


def _edit_page(
    request: HttpRequest,
    current: Membership,
    patient: Patient,
    form: PatientForm,
    *,
    version: int | None = None,
    seen: str | None = None,
    meanwhile: list[dict[str, Any]] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "current": current,
        "patient": patient,
        "form": form,
        "version": patient.version if version is None else version,
        "seen": marks_of(values_of(patient)) if seen is None else seen,
        "meanwhile": meanwhile,
        "problem": status != 200,
    }
    return render(request, "patients/edit.html", context, status=status)


def _stale(
    request: HttpRequest, current: Membership, patient: Patient, typed: dict[str, Any], seen: dict[str, str]
) -> HttpResponse:
    """The form once more, against the patient as it is now. A field that only somebody else changed shows what they
    wrote, so that saving again does not undo it; where both did, it keeps what was typed here."""
    stored, shown, meanwhile = values_of(patient), dict(typed), []
    for name, label in LABELS.items():
        if seen.get(name) == mark(stored[name]) or mark(typed.get(name)) == mark(stored[name]):
            continue
        is_mine = mark(typed.get(name)) != seen.get(name)
        if not is_mine:
            shown[name] = stored[name]
        meanwhile.append({"name": name, "label": label, "stored": stored[name], "is_mine": is_mine})
    _record_read(request, patient)
    form = PatientForm(initial=shown)
    return _edit_page(request, current, patient, form, meanwhile=meanwhile, status=409)


def _changes(patient: Patient, form: PatientForm) -> dict[str, Any]:
    stored = values_of(patient)
    return {name: value for name, value in form.cleaned_data.items() if mark(value) != mark(stored[name])}


def _record_read(request: HttpRequest, patient: Patient) -> None:
    actor = audit.by_user(request.user)
    services.record_read(actor=actor, organization_id=patient.organization_id, patient_id=patient.pk)

"""The pages on which a person's data leaves whole: as an archive, or erased for good."""

from __future__ import annotations

import unicodedata
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.model_runs import selectors as run_selectors
from apps.model_runs.patient_runs.erasure import REASONS, erase_person
from apps.model_runs.patient_runs.export_page import export_url
from apps.patients import selectors, services
from apps.patients.models import Patient, PatientExport
from apps.patients.pages.care import patient_of

# What the API's names for the reasons mean to the person who chooses.
REASON_WORDS = {
    "subject_request": "The person asked for it",
    "consent_withdrawn": "The person withdrew consent",
    "test_data": "It is test data",
}


class ErasureForm(forms.Form):
    reason = forms.ChoiceField(
        choices=[(reason, REASON_WORDS[reason]) for reason in REASONS],
        error_messages={"required": "Choose why.", "invalid_choice": "Choose why."},
    )
    typed = forms.CharField(error_messages={"required": "Type the patient's id or name."})

    def __init__(self, patient: Patient, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.patient = patient

    def clean_typed(self) -> str:
        typed = _plain(self.cleaned_data["typed"])
        if typed not in (str(self.patient.pk), _plain(self.patient.name)):
            raise forms.ValidationError("This is neither the patient's id nor the name. Type one exactly as it stands.")
        return typed


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def archives(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    """The archives that there are, and a button for another."""
    organization_id = current.organization_id
    patient = patient_of(current, patient_id)
    actor = audit.by_user(request.user)
    if request.method == "POST":
        if services.request_export(actor=actor, organization_id=organization_id, patient_id=patient_id) is None:
            raise Http404
        messages.success(request, "The archive is being made. Load this page again in a moment.")
        return redirect("patient-archives", patient_id)
    services.record_read(actor=actor, organization_id=organization_id, patient_id=patient_id)
    exports = list(selectors.list_exports(organization_id, patient_id))
    context = {
        "current": current,
        "patient": patient,
        "exports": exports,
        "is_pending": any(export.status == PatientExport.Status.PENDING for export in exports),
    }
    return render(request, "patients/archives.html", context)


@require_POST
@for_members
def archive(request: HttpRequest, current: Membership, patient_id: int, export_id: UUID) -> HttpResponse:
    """On to the download: its link is good for some minutes, so it is made when it is wanted."""
    export = selectors.get_export(current.organization_id, patient_id, export_id)
    if export is None or export.status != PatientExport.Status.READY:
        raise Http404
    services.record_export("export_read", export, actor=audit.by_user(request.user))
    return redirect(export_url(export).removeprefix(settings.HELIOS_PUBLIC_BASE_URL))


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def erase(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    """Say what is lost for ever, and erase for whoever says why and types who it is. Deleted patients, too."""
    organization_id = current.organization_id
    patient = selectors.get_kept(organization_id, patient_id)
    if patient is None:
        raise Http404
    actor = audit.by_user(request.user)
    form = ErasureForm(patient, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        # A member may write runs and patients, so nothing linked is in the way.
        if not erase_person(
            actor=actor,
            organization_id=organization_id,
            patient_id=patient_id,
            reason=form.cleaned_data["reason"],
            with_runs=True,
        ):
            raise Http404
        messages.success(request, "The patient is erased, with everything that was kept.")
        return redirect("patients")
    services.record_read(actor=actor, organization_id=organization_id, patient_id=patient_id)
    context = {
        "current": current,
        "patient": patient,
        "form": form,
        "problem": form.is_bound,
        "runs": run_selectors.count_linked(organization_id, patient_id),
    }
    return render(request, "patients/erase.html", context, status=400 if form.is_bound else 200)


def _plain(text: str) -> str:
    """Names that look the same are, however they were put in."""
    return " ".join(unicodedata.normalize("NFC", text).split())

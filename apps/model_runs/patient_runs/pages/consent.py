"""The button of a patient's page that notes consent, or its withdrawal: that one tells of the checks that go on."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.model_runs import selectors
from apps.patients import services
from apps.patients.pages.care import patient_of

AGREED = {"yes": True, "no": False}


@require_POST
@for_members
def note_consent(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    """Note that the person has agreed to voice checks, or does so no longer."""
    patient_of(current, patient_id)
    agreed = AGREED.get(request.POST.get("consent", ""))
    if agreed is None:
        return redirect("patient", patient_id)
    changed = services.change_patient(
        actor=audit.by_user(request.user),
        organization_id=current.organization_id,
        patient_id=patient_id,
        changes={"consent": agreed},
    )
    if changed is None:
        raise Http404
    said = "Consent is noted." if agreed else _withdrawn(selectors.count_open(current.organization_id, patient_id))
    messages.success(request, said)
    return redirect("patient", patient_id)


def _withdrawn(open_checks: int) -> str:
    said = "The withdrawal is noted: no new voice check is linked."
    if not open_checks:
        return said
    begun = "1 check that was begun before still waits"
    if open_checks > 1:
        begun = f"{open_checks} checks that were begun before still wait"
    return f"{said} {begun} for a recording, and would be scored: see below how to end that."

"""The lists of patients, of those who are there and of those who were deleted."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.patients import selectors, services
from apps.patients.pages.listing import CONSENT, LAST_DELETED, ORDERS, Wrong, page_of, searched
from apps.patients.services.records import restorable_since

NAMED = ("search", "consent", "sort", "after")


@require_safe
@for_members
def patient_list(request: HttpRequest, current: Membership) -> HttpResponse:
    """Newest first or by name, narrowed by what the query names."""
    query, organization_id = _named(request.GET), current.organization_id
    is_narrowed = "search" in query or "consent" in query
    problem, after = "", None
    rows: list[dict[str, Any]] = []
    try:
        patients = searched(selectors.list_patients(organization_id), query.get("search", ""))
        if "consent" in query:
            patients = patients.filter(consent=_known(CONSENT, query["consent"]))
        order = _known(ORDERS, query.get("sort", "newest"))
        rows, after = page_of(organization_id, patients, order, query.get("after", ""), is_narrowed=is_narrowed)
    except Wrong as wrong:
        problem = str(wrong)
    _record(request, current)
    context = {
        "current": current,
        "rows": rows,
        "count": selectors.count_records(organization_id, "patient"),
        "problem": problem,
        "wanted": query,
        "is_narrowed": is_narrowed,
        "first": _without_place(query).urlencode(),
        "onwards": _onwards(query, after),
    }
    return render(request, "patients/list.html", context, status=400 if problem else 200)


@require_safe
@for_members
def deleted_list(request: HttpRequest, current: Membership) -> HttpResponse:
    """Those who can still be brought back, the last deleted first."""
    return _deleted(request, current)


@require_POST
@for_members
def restore(request: HttpRequest, current: Membership, patient_id: int) -> HttpResponse:
    """Bring a deleted patient back with what went along."""
    actor = audit.by_user(request.user)
    try:
        patient = services.restore_patient(actor=actor, organization_id=current.organization_id, patient_id=patient_id)
    except services.ExternalIdTaken as taken:
        kind, patient = taken.existing._meta.verbose_name, taken.existing
        problem = (
            f"Nothing was restored: another {kind} has the external id “{patient.external_id}” by now. Delete that "
            f"{kind}, or erase this patient."
        )
        return _deleted(request, current, problem=problem, status=409)
    if patient is None:
        raise Http404
    messages.success(request, "The patient is back, with all that was deleted along.")
    return redirect("patient", patient_id)


def _deleted(request: HttpRequest, current: Membership, *, problem: str = "", status: int = 200) -> HttpResponse:
    query, organization_id = _named(request.GET), current.organization_id
    after = None
    rows: list[dict[str, Any]] = []
    try:
        patients = selectors.deleted_patients(organization_id, restorable_since())
        patients = searched(patients, query.get("search", ""))
        rows, after = page_of(organization_id, patients, LAST_DELETED, query.get("after", ""), is_narrowed=False)
    except Wrong as wrong:
        problem, status = str(wrong), 400
    _record(request, current)
    context = {
        "current": current,
        "rows": rows,
        "days": settings.SOFT_DELETE_DAYS,
        "problem": problem,
        "wanted": query,
        "onwards": _onwards(query, after),
    }
    return render(request, "patients/deleted.html", context, status=status)


def _named(query: QueryDict) -> QueryDict:
    """What is filled in: a form sends the empty fields too."""
    named = QueryDict(mutable=True)
    for name in NAMED:
        value = query.get(name, "").strip()
        if value:
            named[name] = value
    return named


def _known(choices: Any, name: Any) -> Any:
    """Raises Wrong."""
    if name not in choices:
        raise Wrong(f"There is no choice “{name}” here.")
    return choices[name]


def _onwards(query: QueryDict, after: int | None) -> str:
    """The query of the page that follows; empty where none does."""
    if after is None:
        return ""
    onwards = query.copy()
    onwards["after"] = str(after)
    return onwards.urlencode()


def _without_place(query: QueryDict) -> QueryDict:
    first = query.copy()
    first.pop("after", None)
    return first


def _record(request: HttpRequest, current: Membership) -> None:
    actor = audit.by_user(request.user)
    services.record_read(actor=actor, organization_id=current.organization_id, patient_id=None)

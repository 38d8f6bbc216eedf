"""The list of runs, a run's page, the states of runs that the pages wait for, and the card of a run's model."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.model_runs import selectors, services
from apps.model_runs.filters import narrowed
from apps.model_runs.models import ModelRun, ModelRunQuerySet, Status
from apps.model_runs.pages import check_link, history, result
from apps.model_runs.summary import NO_DIAGNOSIS, reference_group
from apps.patients.selectors import get_patient
from helios_site.api.families.helios.errors import Invalid
from helios_site.api.families.helios.query import page, read_cursor
from helios_site.documentation import markdown
from helios_site.documentation.pages import rendered
from helios_site.zones import read_day

PAGE_SIZE = 50
UNFINISHED = (Status.CREATED, Status.RUNNING)
FILTERS = {
    "status": "status", "userLabel": "label", "patientId": "patient id", "error": "reason", "from": "first day",
    "to": "last day", "zone": "time zone", "cursor": "place in the list",
}  # fmt: skip
FOLDED = ("patientId", "error", "from", "to")
LIST_FIELDS = (
    "id", "created_at", "status", "user_label", "patient_id", "error_code", "scores__mentalStrain", "quality__level",
)  # fmt: skip


@require_safe
@for_members
def run_list(request: HttpRequest, current: Membership) -> HttpResponse:
    """Newest first, narrowed by what the query names."""
    query = _named(request.GET)
    problem, older = "", None
    rows: list[dict[str, Any]] = []
    try:
        runs = _narrowed(narrowed(selectors.list_runs(current.organization_id), query), query)
        rows, older = page(runs.values(*LIST_FIELDS), read_cursor(query), PAGE_SIZE)
    except Invalid as refusal:
        first = refusal.entries[0]
        problem = f"The {FILTERS.get(str(first['loc'][-1]), 'filter')} cannot be looked for: {first['msg']}."
    services.record_read(actor=audit.by_user(request.user), organization_id=current.organization_id, run_id=None)
    context = {
        "current": current,
        "rows": [_in_words(row) for row in rows],
        "waits": any(row["status"] in UNFINISHED for row in rows),
        "problem": problem,
        "wanted": query,
        "is_narrowed": bool(query.keys() - {"zone"}),
        "unfolds": any(name in query for name in FOLDED),
        "statuses": result.STATUSES.items(),
        "errors": result.ERRORS.items(),
        "newest": _with_cursor(query, "") if "cursor" in query else "",
        "older": _with_cursor(query, older) if older else "",
    }
    return render(request, "runs/list.html", context, status=400 if problem else 200)


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "status_words": result.STATUSES[row["status"]], "reason": result.ERRORS.get(row["error_code"], "")}


def _named(query: QueryDict) -> QueryDict:
    """The filters that are filled in: a form sends the empty ones too."""
    named = QueryDict(mutable=True)
    for name in FILTERS:
        value = query.get(name, "").strip()
        if value:
            named[name] = value
    return named


def _narrowed(runs: ModelRunQuerySet, query: QueryDict) -> ModelRunQuerySet:
    """By what the API's list does not know: days in the reader's own zone, and why a run has no scores. Raises
    Invalid."""
    for name, place in (("from", 0), ("to", 1)):
        if name in query:
            try:
                moment = read_day(str(query[name]), query.get("zone", ""))[place]
            except ValidationError as error:
                raise Invalid(("query", name), "value_error", error.messages[0].rstrip(".")) from None
            runs = runs.filter(created_at__lt=moment) if place else runs.filter(created_at__gte=moment)
    if "error" in query:
        if query["error"] not in result.ERRORS:
            raise Invalid(("query", "error"), "value_error", "choose one of those that are offered")
        runs = runs.filter(status=Status.COMPLETE_ERROR, error_code=query["error"])
    return runs


def _with_cursor(query: QueryDict, cursor: str) -> str:
    """The same filters at another place of the list; without a cursor at its beginning."""
    onwards = query.copy()
    onwards["cursor"] = cursor
    return _named(onwards).urlencode()


@require_safe
@for_members
def statuses(request: HttpRequest, current: Membership) -> HttpResponse:
    """`{"<id>": {"status", "words"}}` of up to PAGE_SIZE runs `id`, without those that are not there.

    It tells no result, so it is not on the record, as a poll of the API that finds a run unfinished is not.
    """
    wanted = []
    for raw in request.GET.getlist("id")[:PAGE_SIZE]:
        try:
            wanted.append(UUID(raw))
        except ValueError:
            continue
    runs = selectors.list_runs(current.organization_id).filter(id__in=wanted).values_list("id", "status")
    return JsonResponse({str(run): {"status": status, "words": result.STATUSES[status]} for run, status in runs})


@require_safe
@for_members
def run_page(request: HttpRequest, current: Membership, model_run_id: UUID) -> HttpResponse:
    """What came of a run; before that, what it waits for."""
    run = _run(current, model_run_id)
    context: dict[str, Any] = {
        "current": current,
        "run": run,
        "status_words": result.STATUSES[run.status],
        "has_patient": run.patient_id is not None and get_patient(run.organization_id, run.patient_id) is not None,
    }
    if run.status in UNFINISHED:
        link = check_link.link_of(run, current.organization.name)
        is_late = run.status == Status.CREATED and link is None
        return render(request, "runs/unfinished.html", context | {"link": link, "is_late": is_late})
    actor = audit.by_user(request.user)
    services.record_read(actor=actor, organization_id=run.organization_id, run_id=run.id)
    context |= {
        "warnings": result.warnings_of(run),
        "recording": result.recording_of(run),
        "facts": result.facts_of(run),
    }
    if run.status == Status.COMPLETE_ERROR:
        what_to_do = result.WHAT_TO_DO.get(run.error_code, "Send a recording in a new run.")
        return render(request, "runs/failed.html", context | {"what_to_do": what_to_do})
    past = history.history_of(run)
    if past is not None:
        history.record_read(run, actor)
    context |= {
        "scores": result.scores_of(run),
        "quality": result.quality_of(run),
        "history": past,
        "window_days": settings.HELIOS_BASELINE_WINDOW_DAYS,
        "reference_group": reference_group(run.birth_sex) if run.birth_sex else "its reference group",
        "no_diagnosis": NO_DIAGNOSIS,
    }
    return render(request, "runs/result.html", context)


@require_POST
@for_members
def delete(request: HttpRequest, current: Membership, model_run_id: UUID) -> HttpResponse:
    """Erase a run in any state."""
    actor = audit.by_user(request.user)
    if not services.delete_run(actor=actor, organization_id=current.organization_id, run_id=model_run_id):
        raise Http404
    messages.success(request, "The run was deleted.")
    return redirect("runs")


@require_safe
@for_members
def model_card(request: HttpRequest, current: Membership, model_run_id: UUID) -> HttpResponse:
    """The card of the model that scored the run: the one stored with it, or that of the shipped one."""
    run = _run(current, model_run_id)
    stored = selectors.stored_card(run.model_version)
    card = rendered("model-card") if stored is None else markdown.render(stored)
    return render(request, "runs/model_card.html", {"run": run, "card": card})


def _run(current: Membership, run_id: UUID) -> ModelRun:
    """Raises Http404: absent, foreign, deleted and erased look the same."""
    run = selectors.get_run(current.organization_id, run_id)
    if run is None:
        raise Http404
    return run

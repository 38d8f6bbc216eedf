"""A run as a file: the API's own JSON, and the scores as a table."""

from __future__ import annotations

import csv
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.model_runs import selectors, services
from apps.model_runs.pages.result import scores_of
from apps.model_runs.serializers import run_body, run_fields
from helios_site.api.families.helios.fields import moment

COLUMNS = (
    "model_run_id", "user_label", "completed_at", "model_version", "score", "value", "bucket", "low", "high",
    "confidence", "evidence",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@require_safe
@for_members
def as_json(request: HttpRequest, current: Membership, model_run_id: UUID) -> HttpResponse:
    """What `GET /v1/models/mental-wellness/{id}` answers."""
    row = selectors.list_runs(current.organization_id).filter(id=model_run_id).values(*run_fields()).first()
    if row is None:
        raise Http404
    _record(request, current, model_run_id)
    return _attached(JsonResponse(run_body(row), json_dumps_params={"indent": 2}), model_run_id, "json")


@require_safe
@for_members
def as_csv(request: HttpRequest, current: Membership, model_run_id: UUID) -> HttpResponse:
    """A line a score; of a run without scores the heading alone."""
    run = selectors.get_run(current.organization_id, model_run_id)
    if run is None:
        raise Http404
    _record(request, current, model_run_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    table = csv.writer(response)
    table.writerow(COLUMNS)
    about = (str(run.id), _plain(run.user_label), moment(run.completed_at), _plain(run.model_version))
    for score in scores_of(run):
        figures = (score.value, score.bucket, score.low, score.high, score.level.upper(), score.evidence)
        table.writerow((*about, score.name, *figures))
    return _attached(response, model_run_id, "csv")


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _record(request: HttpRequest, current: Membership, run_id: UUID) -> None:
    actor = audit.by_user(request.user)
    services.record_read(actor=actor, organization_id=current.organization_id, run_id=run_id)


def _attached(response: HttpResponse, run_id: UUID, ending: str) -> HttpResponse:
    response.headers["Content-Disposition"] = f'attachment; filename="helios-run-{run_id}.{ending}"'
    return response

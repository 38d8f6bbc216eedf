"""`/v1/users/history` and `/v1/users/baseline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.model_runs import readings, selectors
from apps.model_runs.models import ModelRunQuerySet
from apps.model_runs.readings import rounded
from apps.model_runs.services import trail
from apps.model_runs.users import openapi
from apps.model_runs.users.filters import HistoryFilter, LabelFilter, narrowed
from apps.model_runs.wellness.baseline import MAD_TO_SD, Comparison, Usual
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES
from helios_site.api.families.helios.errors import UserNotFound
from helios_site.api.families.helios.fields import moment
from helios_site.api.families.helios.query import page, read_cursor, read_limit
from helios_site.api.families.helios.view import HeliosViewMixin


class _OfUser(HeliosViewMixin, ViewSet):
    scope_resource = "model_runs"

    def runs_of(self, label: str) -> ModelRunQuerySet:
        return selectors.list_runs(self.caller.organization_id).filter(user_label=label)

    def record(self, verb: str) -> None:
        """Without the label, which may be a name."""
        trail.record(verb, actor=self.caller.actor, organization_id=self.caller.organization_id, run_id=None)


@openapi.history
class UserHistoryViewSet(_OfUser):
    """A person's finished runs, newest first, each against what was usual of the person on the days before it."""

    def retrieve(self, request: Request) -> Response:
        query = request.query_params
        limit, after = read_limit(query), read_cursor(query)
        everybody = readings.finished(selectors.list_runs(self.caller.organization_id))
        label, rows = narrowed(HistoryFilter, everybody, query)
        person = self.runs_of(label)
        found, next_cursor = page(rows.values(*readings.FIELDS), after, limit)
        if not found and not person.exists():
            raise UserNotFound
        comparisons = readings.compared(person, [readings.reading_of(row) for row in found])
        self.record("history_read")
        items = [_item(row, comparison) for row, comparison in zip(found, comparisons, strict=True)]
        return Response({"userLabel": label, "items": items, "nextCursor": next_cursor})


@openapi.baseline
class UserBaselineViewSet(_OfUser):
    """What is usual of a person."""

    def retrieve(self, request: Request) -> Response:
        label, everything = narrowed(
            LabelFilter, selectors.list_runs(self.caller.organization_id), request.query_params
        )
        if not everything.exists():
            raise UserNotFound
        usual = readings.usual_now(self.runs_of(label))
        self.record("baseline_read")
        return Response(
            {
                "userLabel": label,
                "ready": any(score.ready for score in usual.values()),
                "runsUsed": max(score.runs_used for score in usual.values()),
                "windowDays": settings.HELIOS_BASELINE_WINDOW_DAYS,
                "scores": {name: _usual(score) for name, score in usual.items()},
            }
        )


def _item(row: Mapping[str, Any], comparison: Mapping[str, Comparison]) -> dict[str, Any]:
    scores = row["scores"] or {}
    deviation = {name: rounded(score.deviation) for name, score in comparison.items()}
    return {
        "id": str(row["id"]),
        "completedAt": moment(row["completed_at"]),
        **{name: scores.get(name) for name in CONTINUOUS_NAMES},
        "deviation": deviation if any(value is not None for value in deviation.values()) else None,
    }


def _usual(score: Usual) -> dict[str, float | None]:
    mad = None if score.spread is None else score.spread / MAD_TO_SD
    figures = {"median": score.median, "mad": mad, "low": score.low, "high": score.high}
    return {name: rounded(value) for name, value in figures.items()}

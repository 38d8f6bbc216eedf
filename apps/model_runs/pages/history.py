"""A person's readings up to one of them, beside what was usual of the person before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from apps.accounts import audit
from apps.model_runs import readings, selectors
from apps.model_runs.models import ModelRun, ModelRunQuerySet
from apps.model_runs.pages import drawings
from apps.model_runs.services import trail
from apps.model_runs.wellness.baseline import POOR, Comparison, days_before, title_of
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES
from apps.patients.selectors import get_patient
from apps.patients.services import trail as patient_trail

MOST_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Past:
    """One score over time."""

    title: str
    comparison: Comparison
    drawing: drawings.Series
    label: str  # what the drawing shows, in words


@dataclass(frozen=True, slots=True)
class History:
    scores: list[Past]
    rows: list[tuple[date, list[float | None]]]  # newest first; the values in the order of `scores`
    first: date
    last: date

    @property
    def only_this(self) -> bool:
        return len(self.rows) < 2


def person_of(run: ModelRun) -> ModelRunQuerySet:
    """The runs of the person whose run it is: of the patient it is linked to, or of its label."""
    runs = selectors.list_runs(run.organization_id)
    return runs.filter(patient_id=run.patient_id) if run.patient_id else runs.filter(user_label=run.user_label)


def history_of(run: ModelRun) -> History | None:
    """Readings by the same model, the poor ones left out but for the run's own, which is the last.

    None where the patient was deleted: the API shows no history then, either.
    """
    if run.patient_id is not None and get_patient(run.organization_id, run.patient_id) is None:
        return None
    person = person_of(run)
    known = readings.by_day(person).filter(completed_at__lte=run.completed_at)
    return _up_to(person, readings.by_day(person).get(id=run.id), known)


def latest_history(person: ModelRunQuerySet) -> History | None:
    """The same up to the latest of a person's readings, as `/wellness` has it; None where there is none."""
    known = readings.by_day(person)
    latest = known.first()
    return None if latest is None else _up_to(person, latest, known)


def _up_to(person: ModelRunQuerySet, current: Mapping[str, Any], known: QuerySet[Any, dict[str, Any]]) -> History:
    day = current["day"]
    [comparison] = readings.compared(person, [readings.reading_of(current)])
    earlier = (
        known.filter(day__gte=days_before(day, settings.HELIOS_BASELINE_WINDOW_DAYS), day__lte=day)
        .filter(model_version=current["model_version"])
        .exclude(quality__level=POOR)
        .exclude(id=current["id"])
    )
    shown = [*reversed(earlier[: MOST_SHOWN - 1]), current]
    first = shown[0]["day"]
    return History(
        scores=[_past(name, comparison[name], shown) for name in CONTINUOUS_NAMES],
        rows=[(row["day"], [(row["scores"] or {}).get(name) for name in CONTINUOUS_NAMES]) for row in reversed(shown)],
        first=first,
        last=day,
    )


def record_read(run: ModelRun, actor: audit.Actor) -> None:
    """Audit it as the API's reads of the same: without the label, which may be a name."""
    organization_id = run.organization_id
    if run.patient_id is None:
        trail.record("history_read", actor=actor, organization_id=organization_id, run_id=None)
    else:
        patient_trail.record(
            "patient", "wellness_read", actor=actor, organization_id=organization_id, object_id=run.patient_id
        )


def _past(name: str, comparison: Comparison, shown: Sequence[Mapping[str, Any]]) -> Past:
    first, last = shown[0]["day"], shown[-1]["day"]
    days = (last - first).days or 1
    known = [(row["day"], (row["scores"] or {}).get(name)) for row in shown]
    points = [((day - first).days / days, value) for day, value in known if value is not None]
    usual = comparison.usual
    title = title_of(name)
    return Past(
        title,
        comparison,
        drawings.series(points or [(1.0, 0.0)], usual.low, usual.high, usual.median),
        f"{title} of {len(points)} readings from {first} to {last}. {comparison.text}",
    )

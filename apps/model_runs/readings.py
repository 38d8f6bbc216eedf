"""A person's finished runs as readings, and each of them against what was usual of the person before.

A person is whoever a QuerySet of runs is about: those of one patient, or those with one label. What is usual, and what
is a change, is for `apps.model_runs.wellness.baseline` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from apps.model_runs.models import ModelRunQuerySet, Status
from apps.model_runs.run_day import RunDay
from apps.model_runs.wellness.baseline import Comparison, Reading, Usual, days_before, judge, usual_scores
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES

FIELDS = ("id", "created_at", "completed_at", "recording_time", "scores", "quality", "model_version", "day")
MOST = 5_000  # readings that are looked at; of a person who has more of them in the window, the latest


def finished(runs: ModelRunQuerySet) -> QuerySet[Any]:
    """The runs that hold scores, each with its `day`."""
    return runs.filter(status=Status.COMPLETE_OK).annotate(day=RunDay())


def by_day(runs: ModelRunQuerySet) -> QuerySet[Any, dict[str, Any]]:
    """Rows of FIELDS, the latest first: as the indexes have them."""
    return finished(runs).order_by("-day", "-created_at", "-id").values(*FIELDS)


def reading_of(row: Mapping[str, Any]) -> Reading:
    """What a row of FIELDS says of the six continuous scores."""
    scores, quality = row["scores"] or {}, row["quality"] or {}
    return Reading(
        day=row["day"],
        values={name: scores.get(name) for name in CONTINUOUS_NAMES},
        quality=quality.get("level"),
        model_version=row["model_version"],
    )


def compared(runs: ModelRunQuerySet, current: Sequence[Reading]) -> list[dict[str, Comparison]]:
    """Each of the person's readings in `current` against the days before it. One query, for the windows alone."""
    if not current:
        return []
    days = [reading.day for reading in current]
    window_days, min_days = settings.HELIOS_BASELINE_WINDOW_DAYS, settings.HELIOS_BASELINE_MIN_RUNS
    rows = by_day(runs).filter(day__gte=days_before(min(days), window_days), day__lt=max(days))
    earlier = [reading_of(row) for row in rows[:MOST]]
    known: dict[tuple[date, str], dict[str, Usual]] = {}  # readings of one day have the same days before them
    found = []
    for reading in current:
        key = (reading.day, reading.model_version)
        if key not in known:
            known[key] = usual_scores(
                earlier,
                CONTINUOUS_NAMES,
                model_version=reading.model_version,
                before=reading.day,
                window_days=window_days,
                min_days=min_days,
            )
        found.append(judge(reading, known[key], min_days=min_days))
    return found


def usual_now(runs: ModelRunQuerySet) -> dict[str, Usual]:
    """What is usual of the person, today included, by the model that gave the latest reading."""
    latest = by_day(runs).first()
    today = timezone.now().date()
    day = max(today, latest["day"] if latest else today) + timedelta(days=1)
    nothing = Reading(day, dict.fromkeys(CONTINUOUS_NAMES), None, latest["model_version"] if latest else "")
    [found] = compared(runs, [nothing])
    return {name: comparison.usual for name, comparison in found.items()}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, settings.HELIOS_SCORE_DECIMALS)

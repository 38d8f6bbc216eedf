"""A patient's runs and wellness in JSON: Helios' values under Healos' names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from apps.model_runs.readings import rounded
from apps.model_runs.recording_times import recorded_at
from apps.model_runs.serializers import SCORES
from apps.model_runs.wellness.baseline import Comparison, Usual
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES
from helios_site.api.families.healos.fields import timestamp

RUN_FIELDS = (
    "id", "status", "created_at", "completed_at", "error_code", "warnings", "scores", "quality", "model_version",
)  # fmt: skip
QUALITY = ("level", "snr_db", "clipping_ratio", "issues")


def snake_case(name: str) -> str:
    """`uniformLowSelfEsteem` is `uniform_low_self_esteem` in this family."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def run_item(row: Mapping[str, Any]) -> dict[str, Any]:
    """One of a list; `row` has RUN_FIELDS."""
    scores, quality = row["scores"], row["quality"]
    return {
        "id": str(row["id"]),
        "status": row["status"],
        "created_at": timestamp(row["created_at"]),
        "completed_at": timestamp(row["completed_at"]),
        "error_code": row["error_code"] or None,
        "warnings": row["warnings"],
        "scores": None if scores is None else {snake_case(name): scores.get(name) for name in SCORES},
        "quality": None if quality is None else {name: quality[name] for name in QUALITY},
        "model_version": row["model_version"] or None,
    }


def wellness_body(
    patient_id: int,
    latest: Mapping[str, Any] | None,
    comparison: Mapping[str, Comparison],
    series: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """`latest` and `series` are rows of `readings.FIELDS`; `comparison` is what `latest` is against the days before."""
    rows = list(series)
    return {
        "patient_id": str(patient_id),
        "window_days": settings.HELIOS_BASELINE_WINDOW_DAYS,
        "min_days": settings.HELIOS_BASELINE_MIN_RUNS,
        "model_version": latest["model_version"] if latest else None,
        "latest": _reading(latest) | {"quality": (latest["quality"] or {}).get("level")} if latest else None,
        "scores": {
            snake_case(name): {
                "series": [_reading(row) | {"value": row["scores"].get(name)} for row in rows],
                "baseline": _usual(comparison[name].usual),
                "change": _change(latest, name, comparison[name]),
            }
            for name in CONTINUOUS_NAMES
        },
    }


def _reading(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model_run_id": str(row["id"]),
        "day": row["day"].isoformat(),
        "time": timestamp(recorded_at(row["recording_time"], row["completed_at"])),
    }


def _usual(usual: Usual) -> dict[str, Any]:
    return {
        "ready": usual.ready,
        "runs_used": usual.runs_used,
        "days_used": usual.days_used,
        "median": rounded(usual.median),
        "spread": rounded(usual.spread),
        "low": rounded(usual.low),
        "high": rounded(usual.high),
        "minimum_detectable_change": rounded(usual.minimum_detectable_change),
    }


def _change(latest: Mapping[str, Any] | None, name: str, comparison: Comparison) -> dict[str, Any]:
    return {
        "value": (latest["scores"] or {}).get(name) if latest else None,
        "deviation": rounded(comparison.deviation),
        "changed": comparison.changed,
        "text": comparison.text,
    }

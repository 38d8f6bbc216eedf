"""Finished runs of one person on given days, written as a worker leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Organization
from apps.model_runs.models import ModelRun
from apps.model_runs.wellness.interface import DIMENSIONS
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES

LABEL = "person-1"
TODAY = date(2026, 5, 20)
NOON = datetime.combine(TODAY, time(12), UTC)
# Their median is .39, and the median of the distances from it .03.
USUAL = (0.30, 0.42, 0.38, 0.50, 0.36, 0.40)


def finished(organization: Organization, days_ago: float, value: float, **fields: Any) -> ModelRun:
    """Not stored: a run in which each score is `value`, completed so many days before noon of TODAY."""
    at = NOON - timedelta(days=days_ago)
    scores = dict.fromkeys(CONTINUOUS_NAMES, value) | dict.fromkeys(DIMENSIONS, 0.33)
    given: dict[str, Any] = {
        "user_label": LABEL,
        "status": "COMPLETE_OK",
        "created_at": at - timedelta(minutes=1),
        "run_at": at,
        "completed_at": at,
        "upload_expires_at": at,
        "scores": scores,
        "quality": {"level": "GOOD", "snr_db": 20.0, "clipping_ratio": 0.0, "bandwidth_hz": 8000.0, "issues": []},
        "model_version": "1",
    }
    return ModelRun(organization=organization, **given | fields)


def store(*runs: ModelRun) -> Sequence[ModelRun]:
    return ModelRun.objects.bulk_create(runs)


def usual_days(organization: Organization, **fields: Any) -> Sequence[ModelRun]:
    """One run of each value of USUAL a day, the last of them yesterday."""
    return store(*(finished(organization, len(USUAL) - number, value, **fields) for number, value in enumerate(USUAL)))


def multiply(run: ModelRun, count: int) -> None:
    """So many copies of a stored run, two for each day before it."""
    columns = [field.column for field in ModelRun._meta.concrete_fields]
    values = {name: f"{name} - n * interval '12 hours'" for name in ("created_at", "run_at", "completed_at")}
    values["id"] = "gen_random_uuid()"
    chosen = ", ".join(values.get(name, name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO model_runs_modelrun ({', '.join(columns)}) SELECT {chosen}"  # noqa: S608 - our own columns
            " FROM model_runs_modelrun, generate_series(1, %s) AS n WHERE id = %s",
            [count, run.pk],
        )
        cursor.execute("ANALYZE model_runs_modelrun")


def most_rows_read(captured: CaptureQueriesContext) -> int:
    """Of the table of runs, by the one of the captured statements that read the most."""
    most = 0
    for sql in (query["sql"] for query in captured.captured_queries):
        if sql.startswith("SELECT") and 'FROM "model_runs_modelrun"' in sql:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
                [[[plan]]] = cursor.fetchall()
            node = plan["Plan"]
            while node.get("Plans"):
                [node] = node["Plans"]
            most = max(most, int(node["Actual Rows"]) + int(node.get("Rows Removed by Filter", 0)))
    return most

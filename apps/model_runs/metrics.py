"""What operators watch of the runs, in Prometheus's terms.

Runs end in worker processes and are scraped from the web process, so counts live in Redis: one pipelined call a
finished run. Losing them loses history that a scraper has already taken, never a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import redis
import structlog
from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from apps.model_runs.models import ModelRun, Status
from apps.model_runs.queue import waiting_messages
from apps.model_runs.wellness.interface import Analysis

log = structlog.get_logger(__name__)

HASH = "helios:metrics:runs"
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5, decode_responses=True
    )


def observe_run(run: ModelRun, analysis: Analysis) -> None:
    """Count a finished run and its stages. A Redis that does not answer costs a log line."""
    waited = max(0.0, (timezone.now() - run.run_at).total_seconds()) if run.run_at else 0.0
    stages = {**analysis.elapsed_seconds, "upload_to_result": waited}
    try:
        with _redis().pipeline(transaction=False) as pipe:
            pipe.hincrby(HASH, f"finished|{analysis.error_code or 'OK'}", 1)
            for stage, seconds in stages.items():
                pipe.hincrbyfloat(HASH, f"sum|{stage}", seconds)
                bucket = next((str(bound) for bound in BUCKETS if seconds <= bound), "+Inf")
                pipe.hincrby(HASH, f"bucket|{stage}|{bucket}", 1)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("metrics_not_counted", error=type(error).__name__)


def collect() -> Iterator[Metric]:
    """Every metric of the runs, for one scrape."""
    yield from _from_database()
    waiting = waiting_messages()
    if waiting is not None:
        yield GaugeMetricFamily("helios_queue_messages", "Messages that wait in the broker.", value=waiting)
    try:
        stored: dict[str, str] = _redis().hgetall(HASH)  # type: ignore[assignment]
    except redis.RedisError:
        return
    yield from _from_redis(stored)


def _from_database() -> Iterator[Metric]:
    running = ModelRun.objects.filter(status=Status.RUNNING).aggregate(
        waiting=Count("id", filter=Q(lease_expires_at__isnull=True)),
        claimed=Count("id", filter=Q(lease_expires_at__isnull=False)),
        oldest=Min("run_at", filter=Q(lease_expires_at__isnull=True)),
    )
    age = (timezone.now() - running["oldest"]).total_seconds() if running["oldest"] else 0.0
    yield GaugeMetricFamily("helios_runs_waiting", "Runs that wait for a worker.", value=running["waiting"])
    yield GaugeMetricFamily("helios_runs_claimed", "Runs that a worker executes.", value=running["claimed"])
    yield GaugeMetricFamily("helios_queue_age_seconds", "Age of the longest-waiting run.", value=age)


def _from_redis(stored: dict[str, str]) -> Iterator[Metric]:
    finished = CounterMetricFamily(
        "helios_runs_finished", "Finished runs by outcome: OK or the error code.", labels=["code"]
    )
    sums: dict[str, float] = {}
    counts: dict[str, dict[str, int]] = {}
    for name, value in sorted(stored.items()):
        kind, _, rest = name.partition("|")
        if kind == "finished":
            finished.add_metric([rest], float(value))
        elif kind == "sum":
            sums[rest] = float(value)
        elif kind == "bucket":
            stage, _, bound = rest.partition("|")
            counts.setdefault(stage, {})[bound] = int(value)
    yield finished
    stages = HistogramMetricFamily(
        "helios_run_stage_seconds",
        "Seconds by pipeline stage; `total` is the worker's time, `upload_to_result` the client's wait.",
        labels=["stage"],
    )
    for stage, by_bound in counts.items():
        cumulated, total = [], 0
        for bound in (*map(str, BUCKETS), "+Inf"):
            total += by_bound.get(bound, 0)
            cumulated.append((bound, total))
        stages.add_metric([stage], buckets=cumulated, sum_value=sums.get(stage, 0.0))
    yield stages

"""The sweeper: whatever happened to broker or workers, every run ends."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.model_runs.models import ModelRun, Status
from apps.model_runs.queue import ring, waiting_messages
from apps.model_runs.services.execution import attempts_left, complete, lapsed, within_deadline
from apps.model_runs.wellness.interface import ErrorCode

log = structlog.get_logger(__name__)

BATCH = 500
FIRST_GAP_SECONDS = 30  # how long an unclaimed run waits before the bell is rung again; doubles to the last
LAST_GAP_SECONDS = 240


def sweep_runs() -> dict[str, int]:
    """End the runs that are spent, ring again for those whose worker died or whose message was lost.

    Never rings for waiting runs while the broker holds as many messages as there are waiting runs: a long queue
    is not a lost one. Returns how many runs were `failed` and `requeued`.
    """
    failed = _fail_spent_runs()
    # To the front of the queue: these have waited for a lease already.
    requeued = _requeue(lapsed() & attempts_left() & within_deadline(), first=True)
    waiting = waiting_messages()
    if waiting is not None and waiting < ModelRun.objects.unclaimed().count():
        requeued += _requeue(_forgotten(), first=False)
    if failed or requeued:
        log.info("swept", failed=failed, requeued=requeued)
    return {"failed": failed, "requeued": requeued}


def _forgotten() -> Q:
    """Unclaimed runs whose last bell is longer ago than their gap."""
    stale = Q()
    seconds, count = FIRST_GAP_SECONDS, 0
    while True:
        last = seconds >= LAST_GAP_SECONDS
        rung = Q(enqueue_count__gte=count) if last else Q(enqueue_count=count)
        stale |= rung & Q(enqueued_at__lt=Now() - timedelta(seconds=min(seconds, LAST_GAP_SECONDS)))
        if last:
            return Q(status=Status.RUNNING, lease_expires_at__isnull=True) & stale
        seconds, count = seconds * 2, count + 1


def _requeue(which: Q, *, first: bool) -> int:
    """Mark the runs rung in one UPDATE, then ring; a crash between the two is what the gap is for."""
    with transaction.atomic():
        ids = list(
            ModelRun.objects.select_for_update(skip_locked=True)
            .filter(which)
            .order_by("enqueued_at")
            .values_list("id", flat=True)[:BATCH]
        )
        ModelRun.objects.filter(id__in=ids).update(
            lease_expires_at=None, enqueued_at=timezone.now(), enqueue_count=F("enqueue_count") + 1
        )
    return sum(ring(run_id, first=first) for run_id in ids)


def _fail_spent_runs() -> int:
    spent = lapsed() & ~(attempts_left() & within_deadline())
    # Handed out again, and then the operator lowered the number of attempts: no worker takes it any more.
    spent |= Q(status=Status.RUNNING, lease_expires_at__isnull=True) & ~attempts_left()
    failed = 0
    needed = ("id", "organization_id", "created_by_key_id", "user_label", "attempt", "warnings")
    for run in ModelRun.objects.filter(spent).only(*needed)[:BATCH]:
        reason = (
            f"Processing did not finish in {run.attempt} attempts "
            f"(at most {settings.HELIOS_RUN_MAX_ATTEMPTS}, within {settings.HELIOS_RUN_DEADLINE_SECONDS} s). "
            "Please create a new run."
        )
        outcome = {"status": Status.COMPLETE_ERROR, "error_code": ErrorCode.INTERNAL, "error_reason": reason}
        failed += complete(ModelRun.objects.filter(spent, id=run.id), run, outcome)
    return failed

"""The main path of a run: received, claimed, finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from apps.api_keys.usage.services import count_run
from apps.model_runs.models import ModelRun, Status
from apps.model_runs.queue import ring_on_commit
from apps.model_runs.services import announcing, notes, trail
from apps.model_runs.wellness.interface import Analysis


class Received(Enum):
    """What became of a whole recording that was sent."""

    STARTED = "the run took it and waits for a worker"
    REPEATED = "byte for byte what the run already has"
    CONFLICT = "the run already has another recording"
    GONE = "the run was deleted"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to execute one run until the lease ends; `attempt` is the token that finishing asks for."""

    run: ModelRun
    attempt: int


def receive_recording(*, run_id: UUID, key: str, sha256: str, size: int) -> Received:
    """Give a stored recording to its run and queue it. Of two uploads at once the row lock lets one start the run.

    Unless the answer is STARTED, the caller still owns the object `key` and must delete it.
    """
    with transaction.atomic():
        run = ModelRun.objects.select_for_update().filter(id=run_id).first()
        if run is None:
            return Received.GONE
        if run.status != Status.CREATED:
            return Received.REPEATED if run.recording_sha256 == sha256 else Received.CONFLICT
        now = timezone.now()
        run.status = Status.RUNNING
        run.run_at = run.enqueued_at = now
        run.recording_key, run.recording_sha256, run.recording_bytes = key, sha256, size
        run.save(
            update_fields=[
                "status", "run_at", "enqueued_at", "recording_key", "recording_sha256", "recording_bytes",
            ]
        )  # fmt: skip
        trail.record("recording_received", organization_id=run.organization_id, run_id=run.id)
        ring_on_commit(run.id)
    return Received.STARTED


def attempts_left() -> Q:
    return Q(attempt__lt=settings.HELIOS_RUN_MAX_ATTEMPTS)


def lapsed() -> Q:
    """An attempt took the run and ended without a result: its worker died, or gave it back."""
    return Q(status=Status.RUNNING, lease_expires_at__lt=Now())


def within_deadline() -> Q:
    """Whether a lapsed attempt ended before the deadline, which counts from the first claim. The time since, in
    which a broker that was away or a long queue may have kept the run waiting, does not count."""
    deadline = timedelta(seconds=settings.HELIOS_RUN_DEADLINE_SECONDS)
    return Q(first_claimed_at__gt=F("lease_expires_at") - deadline)


def claim_run(*, run_id: UUID) -> Claim | None:
    """Take the run for this worker; None when it is finished, deleted, spent or another worker's.

    One conditional UPDATE decides, by the database's clock, which all workers share.
    """
    free = Q(status=Status.RUNNING, lease_expires_at__isnull=True) | lapsed() & within_deadline()
    with transaction.atomic():
        taken = ModelRun.objects.filter(free, attempts_left(), id=run_id).update(
            attempt=F("attempt") + 1,
            lease_expires_at=Now() + timedelta(seconds=settings.HELIOS_RUN_LEASE_SECONDS),
            first_claimed_at=Coalesce("first_claimed_at", Now()),
        )
        if not taken:
            return None
        run = ModelRun.objects.get(id=run_id)  # the UPDATE holds the row's lock until the commit
    return Claim(run, run.attempt)


def release_run(*, claim: Claim) -> None:
    """Give a run back whose execution failed here: the sweeper hands it out again at its next tick."""
    ModelRun.objects.filter(id=claim.run.id, attempt=claim.attempt, status=Status.RUNNING).update(
        lease_expires_at=Now()
    )


def finish_run(*, claim: Claim, analysis: Analysis) -> bool:
    """Write the outcome, if the run is still this attempt's. False: it was deleted, or passed to another worker."""
    quality = analysis.quality
    outcome = {
        "status": Status.COMPLETE_OK if analysis.ok else Status.COMPLETE_ERROR,
        "error_code": analysis.error_code or "",
        "error_reason": analysis.error_reason or "",
        "warnings": [*claim.run.warnings, *analysis.warnings],
        "transcript": analysis.transcript,
        "scores": analysis.scores,
        "duration_seconds": analysis.duration_seconds,
        "speech_seconds": analysis.speech_seconds,
        "quality": None if quality is None else asdict(quality),
        "confidence": analysis.confidence,
        "evidence": analysis.evidence,
        "explanation": None if analysis.explanation is None else list(analysis.explanation),
        "safety": analysis.safety,
        "outline": analysis.outline,
        "model_version": analysis.model_version or "",
        "stage_seconds": analysis.elapsed_seconds,
    }
    return complete(ModelRun.objects.filter(id=claim.run.id, attempt=claim.attempt), claim.run, outcome)


def complete(target: QuerySet[ModelRun], run: ModelRun, outcome: Mapping[str, object]) -> bool:
    """End a RUNNING run that `target` selects, with its audit row, its note and its usage in the same transaction."""
    ok = outcome["status"] == Status.COMPLETE_OK
    with transaction.atomic():
        # Whole microseconds of one clock: completedAt is never before runAt.
        if not target.filter(status=Status.RUNNING).update(
            completed_at=timezone.now(), lease_expires_at=None, **outcome
        ):
            return False
        trail.record(
            "completed" if ok else "failed",
            organization_id=run.organization_id,
            run_id=run.id,
            outcome="ok" if ok else "error",
            reason=str(outcome.get("error_code", "")),
        )
        announcing.ended(run, str(outcome["status"]), safety=outcome.get("safety"))
        if ok and run.patient_id is not None:
            notes.write(run, run.patient_id, outcome)
        # Last, since runs of one key queue on its row until this commits.
        count_run(organization_id=run.organization_id, key_id=run.created_by_key_id, ok=ok)
    return True

"""One claimed run through the wellness model: the only place where the row, the storage and the model meet."""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import UUID

import structlog
from django.conf import settings

from apps.model_runs import metrics, model_choice, services
from apps.model_runs.models import ModelRun
from apps.model_runs.wellness import pipeline
from apps.model_runs.wellness.interface import Limits, Person
from helios_site.storage import object_store

log = structlog.get_logger(__name__)


def limits() -> Limits:
    """The operator's bounds, from the settings."""
    return Limits(
        min_speech_seconds=settings.HELIOS_MIN_SPEECH_SECONDS,
        max_recording_seconds=settings.HELIOS_MAX_RECORDING_SECONDS,
        speech_pause_seconds=settings.HELIOS_SPEECH_PAUSE_SECONDS,
        bucket_cuts=settings.HELIOS_BUCKET_CUTS,
        score_decimals=settings.HELIOS_SCORE_DECIMALS,
        decoder=settings.HELIOS_DECODER,
    )


def person_of(run: ModelRun) -> Person:
    return Person(birth_sex=run.birth_sex or "UNKNOWN", date_of_birth=run.date_of_birth, language=run.language)


def execute_run(run_id: UUID) -> bool:
    """Claim, analyse and finish; True when this call ended the run.

    An exception gives the run back: the sweeper hands it out again, and ends it with ERR_INTERNAL when the
    attempts are used up. A worker that dies here leaves it to the lease.
    """
    claim = services.claim_run(run_id=run_id)
    if claim is None:
        return False
    run = claim.run
    started = time.perf_counter()
    try:
        model = model_choice.model_for(run.organization_id)
        with object_store().local_path(run.recording_key) as path:
            analysis = pipeline.analyse(path, person_of(run), limits(), model=model)
    except Exception:
        log.exception("run_attempt_failed", run_id=str(run.id), attempt=claim.attempt)
        services.release_run(claim=claim)
        return False
    total = time.perf_counter() - started
    analysis = replace(analysis, elapsed_seconds={**analysis.elapsed_seconds, "total": round(total, 4)})
    finished = services.finish_run(claim=claim, analysis=analysis)
    if finished:
        metrics.observe_run(run, analysis)
    log.info(
        "run_executed",
        run_id=str(run.id),
        attempt=claim.attempt,
        finished=finished,
        error_code=str(analysis.error_code or ""),
        seconds=round(total, 2),
    )
    return finished

"""Claiming and finishing: a run is executed by one attempt at a time and ends once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent
from apps.model_runs import queue, services
from apps.model_runs.models import ModelRun, Status
from apps.model_runs.services import Received
from tests.model_runs.conftest import FAILED, OK, MakeRun, store

pytestmark = pytest.mark.django_db


def lapse(run: ModelRun) -> None:
    ModelRun.objects.filter(id=run.id).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_a_received_recording_starts_the_run_and_is_audited(make_run: MakeRun) -> None:
    run = make_run()
    key = store(run)
    assert services.receive_recording(run_id=run.id, key=key, sha256="a" * 64, size=4) is Received.STARTED
    run.refresh_from_db()
    assert (run.status, run.recording_key, run.recording_bytes) == (Status.RUNNING, key, 4)
    assert run.run_at is not None
    assert run.run_at >= run.created_at
    assert AuditEvent.objects.filter(action="model_run.recording_received", object_id=str(run.id)).count() == 1


def test_the_same_recording_again_is_a_repetition_and_another_one_a_conflict(make_run: MakeRun) -> None:
    run = make_run()
    services.receive_recording(run_id=run.id, key=store(run), sha256="a" * 64, size=4)
    assert services.receive_recording(run_id=run.id, key="", sha256="a" * 64, size=4) is Received.REPEATED
    assert services.receive_recording(run_id=run.id, key="", sha256="b" * 64, size=4) is Received.CONFLICT
    assert services.receive_recording(run_id=uuid4(), key="", sha256="a" * 64, size=4) is Received.GONE


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_told_only_after_the_commit(make_run: MakeRun) -> None:
    run = make_run()
    services.receive_recording(run_id=run.id, key=store(run), sha256="a" * 64, size=4)
    assert queue.waiting_messages() == 1


def test_a_run_that_was_not_uploaded_cannot_be_claimed(make_run: MakeRun) -> None:
    assert services.claim_run(run_id=make_run().id) is None


def test_a_claimed_run_cannot_be_claimed_again_before_its_lease_lapses(make_running: MakeRun) -> None:
    run = make_running()
    first = services.claim_run(run_id=run.id)
    assert first is not None
    assert first.attempt == 1
    assert services.claim_run(run_id=run.id) is None
    lapse(run)
    second = services.claim_run(run_id=run.id)
    assert second is not None
    assert second.attempt == 2


def test_the_result_of_a_superseded_attempt_is_discarded(make_running: MakeRun) -> None:
    run = make_running()
    first = services.claim_run(run_id=run.id)
    lapse(run)
    second = services.claim_run(run_id=run.id)
    assert first is not None
    assert second is not None
    assert services.finish_run(claim=first, analysis=FAILED) is False
    assert services.finish_run(claim=second, analysis=OK) is True
    assert services.finish_run(claim=second, analysis=FAILED) is False
    run.refresh_from_db()
    assert run.status == Status.COMPLETE_OK
    assert run.scores == OK.scores
    assert AuditEvent.objects.filter(object_id=str(run.id), action="model_run.completed").count() == 1
    assert not AuditEvent.objects.filter(object_id=str(run.id), action="model_run.failed").exists()


def test_a_refused_recording_keeps_what_was_measured(make_finished: MakeRun) -> None:
    run = make_finished(analysis=FAILED)
    assert run.status == Status.COMPLETE_ERROR
    assert run.error_code == "ERR_RECORDING_TOO_SHORT"
    assert (run.duration_seconds, run.speech_seconds, run.scores) == (20.0, 6.2, None)
    assert run.completed_at is not None
    assert run.run_at is not None
    assert run.completed_at >= run.run_at


def test_warnings_of_the_request_and_of_the_model_are_both_kept(make_finished: MakeRun) -> None:
    assert make_finished(warnings=("lenient",)).warnings == ["lenient", "a warning"]


def test_a_deleted_running_run_never_writes_results(make_running: MakeRun) -> None:
    run = make_running()
    claim = services.claim_run(run_id=run.id)
    assert claim is not None
    assert services.delete_run(actor=SYSTEM, organization_id=run.organization_id, run_id=run.id)
    assert services.finish_run(claim=claim, analysis=OK) is False
    assert not ModelRun.objects.filter(id=run.id).exists()


def test_a_released_run_can_be_claimed_at_once(make_running: MakeRun) -> None:
    run = make_running()
    claim = services.claim_run(run_id=run.id)
    assert claim is not None
    services.release_run(claim=claim)
    again = services.claim_run(run_id=run.id)
    assert again is not None
    assert again.attempt == 2


def test_no_attempt_is_given_beyond_the_last(make_running: MakeRun, settings: object) -> None:
    run = make_running()
    for _ in range(3):
        assert services.claim_run(run_id=run.id) is not None
        lapse(run)
    assert services.claim_run(run_id=run.id) is None


def test_the_deadline_counts_from_the_first_claim_and_not_from_the_upload(make_running: MakeRun) -> None:
    run = make_running()
    long_ago = timezone.now() - timedelta(hours=1)
    ModelRun.objects.filter(id=run.id).update(created_at=long_ago, run_at=long_ago)
    assert services.claim_run(run_id=run.id) is not None
    ModelRun.objects.filter(id=run.id).update(first_claimed_at=long_ago)
    lapse(run)
    assert services.claim_run(run_id=run.id) is None


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_that_claim_at_once_one_gets_the_run(make_running: MakeRun) -> None:
    run = make_running()

    def claim(_: int) -> bool:
        try:
            return services.claim_run(run_id=run.id) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1

"""What a real worker does around its tasks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.db import connection

from apps.model_runs.models import ModelRun, Status
from tests.conftest import RECORDINGS
from tests.model_runs.conftest import MakeRun

pytestmark = [pytest.mark.django_db(transaction=True), RECORDINGS]


def await_end(run: ModelRun) -> None:
    deadline = time.monotonic() + 30
    while ModelRun.objects.filter(id=run.id, status=Status.RUNNING).exists():
        assert time.monotonic() < deadline, "The worker did not take the run."
        time.sleep(0.02)


def other_sessions() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return {pid for (pid,) in cursor.fetchall()}


def test_a_worker_keeps_its_connection_from_run_to_run(worker: Path, make_running: MakeRun) -> None:
    await_end(make_running())
    before = other_sessions()
    await_end(make_running())
    assert other_sessions() == before != set()


def test_a_worker_replaces_a_connection_that_broke(worker: Path, make_running: MakeRun) -> None:
    await_end(make_running())
    with connection.cursor() as cursor:
        for pid in (broken := other_sessions()):
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    run = make_running()
    await_end(run)
    run.refresh_from_db()
    assert (run.status, run.attempt, run.enqueue_count) == (Status.COMPLETE_ERROR, 1, 0)
    assert other_sessions() - broken

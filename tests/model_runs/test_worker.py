"""What a real worker does around its tasks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.model_runs.models import ModelRun, Status
from apps.patients.models import Document, PatientExport
from apps.patients.services import request_export
from tests.conftest import RECORDINGS
from tests.contract.healos.documents import of, upload
from tests.contract.healos.patients import create
from tests.model_runs.conftest import MakeRun, exists
from tests.patients.people import make_patient

pytestmark = [pytest.mark.django_db(transaction=True), RECORDINGS]


def await_end(run: ModelRun) -> None:
    wait_while(ModelRun.objects.filter(id=run.id, status=Status.RUNNING).exists)


def wait_while(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while is_so():
        assert time.monotonic() < deadline, "The worker did not take it."
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


def test_a_worker_makes_the_archive_that_was_asked_for(worker: Path, organization: Organization) -> None:
    patient = make_patient(organization)
    request_export(actor=SYSTEM, organization_id=organization.id, patient_id=patient.pk)
    wait_while(PatientExport.objects.filter(status="pending").exists)
    export = PatientExport.objects.get()
    assert (export.status, export.tries) == ("ready", 1)
    assert exists(export.storage_key)


def test_a_worker_checks_the_document_that_was_uploaded(worker: Path, api: Client) -> None:
    assert upload(api, of(create(api))).status_code == 201
    wait_while(Document.objects.filter(status="pending").exists)
    document = Document.objects.get()
    assert (document.status, document.check_tries) == ("ready", 1)

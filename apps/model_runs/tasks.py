"""Celery tasks: each takes an id at most, and calls a service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_init
from django.conf import settings

from apps.accounts.closing import EXPORT
from apps.model_runs import model_choice, services
from apps.model_runs.execution import execute_run
from apps.model_runs.patient_runs.exporting import export_person
from apps.model_runs.queue import PROCESS_RUN
from apps.patients.services import EXPORT as EXPORT_PATIENT


@worker_init.connect
def _load_models_before_fork(sender: Any = None, **_: Any) -> None:
    """Children share the weights' pages when the parent has loaded them before it forks."""
    if settings.CELERY_TASK_DEFAULT_QUEUE in sender.app.amqp.queues.consume_from:
        from apps.model_runs.wellness import pipeline

        model_choice.require_pinned_model()
        pipeline.load_models()


@shared_task(name=PROCESS_RUN, time_limit=settings.HELIOS_RUN_TIME_LIMIT_SECONDS)
def process_run(run_id: str) -> None:
    execute_run(UUID(run_id))


@shared_task(name="helios.housekeeping.sweep_runs")
def sweep_runs() -> None:
    services.sweep_runs()


@shared_task(name="helios.housekeeping.erase_due_data")
def erase_due_data() -> None:
    services.erase_due_data()


@shared_task(name="helios.housekeeping.remove_leftovers")
def remove_leftovers() -> None:
    services.remove_leftovers()


@shared_task(name="helios.housekeeping.look_after_closings")
def look_after_closings() -> None:
    services.look_after_closings()


@shared_task(name=EXPORT)
def export_organization(organization_id: str) -> None:
    services.export_organization(organization_id=UUID(organization_id))


@shared_task(name=EXPORT_PATIENT)
def export_patient(export_id: str) -> None:
    export_person(export_id=UUID(export_id))

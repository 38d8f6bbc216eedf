"""Celery tasks of the records of patients: each calls a service."""

from __future__ import annotations

from celery import shared_task

from apps.patients import services


@shared_task(name="helios.housekeeping.purge_deleted")
def purge_deleted() -> None:
    services.purge_deleted()


@shared_task(name="helios.housekeeping.compact_counts")
def compact_counts() -> None:
    services.compact_counts()


@shared_task(name="helios.housekeeping.look_after_exports")
def look_after_exports() -> None:
    services.look_after_exports()

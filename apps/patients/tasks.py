"""Celery tasks of the records of patients: each calls a service."""

from __future__ import annotations

from celery import shared_task

from apps.patients import services
from apps.patients.documents.checking import CHECK_DUE, check_due
from helios_site.bell import ring


@shared_task(name=CHECK_DUE)
def check_due_documents() -> None:
    """On the workers that execute runs: it takes a core, and must not keep the sweeper from its ticks."""
    if check_due():
        ring(CHECK_DUE)


@shared_task(name="helios.housekeeping.purge_deleted")
def purge_deleted() -> None:
    services.purge_deleted()


@shared_task(name="helios.housekeeping.compact_counts")
def compact_counts() -> None:
    services.compact_counts()


@shared_task(name="helios.housekeeping.look_after_exports")
def look_after_exports() -> None:
    services.look_after_exports()

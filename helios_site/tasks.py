"""Celery tasks of what belongs to no app: each calls one function."""

from __future__ import annotations

from celery import shared_task

from helios_site.api.families import idempotency
from helios_site.storage import removal


@shared_task(name="helios.housekeeping.remove_old_replies")
def remove_old_replies() -> None:
    idempotency.remove_old_replies()


@shared_task(name="helios.housekeeping.remove_erased_objects")
def remove_erased_objects() -> None:
    removal.remove_erased_objects()

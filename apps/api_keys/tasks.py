"""Celery tasks: each calls a service."""

from __future__ import annotations

from celery import shared_task

from apps.api_keys import notices
from apps.api_keys.usage import services as usage


@shared_task(name=notices.SEND)
def send_key_notices() -> None:
    notices.send_due_notices()


@shared_task(name="helios.housekeeping.note_key_expiries")
def note_key_expiries() -> None:
    notices.note_expiries()


@shared_task(name="helios.housekeeping.write_usage")
def write_usage() -> None:
    usage.write_requests()


@shared_task(name="helios.housekeeping.remove_old_usage")
def remove_old_usage() -> None:
    usage.remove_old_usage()

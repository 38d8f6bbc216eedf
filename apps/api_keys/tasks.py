"""Celery tasks: each calls a service."""

from __future__ import annotations

from celery import shared_task

from apps.api_keys import notices


@shared_task(name=notices.SEND)
def send_key_notices() -> None:
    notices.send_due_notices()


@shared_task(name="helios.housekeeping.note_key_expiries")
def note_key_expiries() -> None:
    notices.note_expiries()

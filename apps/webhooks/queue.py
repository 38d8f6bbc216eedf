"""The bell: telling the senders that something waits. Losing a message loses nothing, beat rings every few seconds."""

from __future__ import annotations

import redis
import structlog
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from helios_site.celery import app

log = structlog.get_logger(__name__)

DELIVER_DUE = "helios.webhooks.deliver_due"


def ring_on_commit() -> None:
    transaction.on_commit(ring)


def ring() -> None:
    try:
        # A bell names no delivery: whoever hears it takes what is due. One that waited longer than beat is worthless.
        app.send_task(DELIVER_DUE, retry=False, expires=settings.WEBHOOK_SWEEP_SECONDS)
    except (OperationalError, redis.RedisError, OSError) as error:
        log.warning("webhooks_not_rung", error=type(error).__name__)

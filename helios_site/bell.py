"""Waking a worker. Losing a message loses nothing: what is to be done is a row, which beat looks for."""

from __future__ import annotations

from functools import partial

import redis
import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def ring_on_commit(task: str, *arguments: str) -> None:
    """Have `task` executed soon after the present transaction has committed."""
    transaction.on_commit(partial(ring, task, *arguments))


def ring(task: str, *arguments: str) -> None:
    try:
        current_app.send_task(task, args=arguments, retry=False)
    except (OperationalError, redis.RedisError, OSError) as error:
        log.warning("bell_not_rung", task=task, error=type(error).__name__)  # beat finds the row soon

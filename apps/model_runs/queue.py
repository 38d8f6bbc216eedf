"""The bell: telling the workers that a run waits. Losing a message loses nothing, the sweeper rings again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from helios_site.celery import app

log = structlog.get_logger(__name__)

PROCESS_RUN = "helios.runs.process"

# Over Redis the lower number is served first; these are two of the steps for which workers watch a list each.
FIRST, IN_TURN = 0, 3


def ring(run_id: UUID, *, first: bool = False) -> bool:
    """Enqueue the run, behind the others or before them; False when the broker cannot be reached."""
    try:
        app.send_task(PROCESS_RUN, args=[str(run_id)], retry=False, priority=FIRST if first else IN_TURN)
    except (OperationalError, redis.RedisError, OSError) as error:
        log.warning("run_not_enqueued", run_id=str(run_id), error=type(error).__name__)
        return False
    return True


def ring_on_commit(run_id: UUID) -> None:
    transaction.on_commit(lambda: ring(run_id))


def waiting_messages() -> int | None:
    """How many messages the broker holds for the workers; None when it cannot be asked."""
    try:
        with app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            queue = settings.CELERY_TASK_DEFAULT_QUEUE
            return sum(int(channel.client.llen(name)) for name in (queue, f"{queue}{channel.sep}{IN_TURN}"))
    except (OperationalError, redis.RedisError, OSError):
        return None

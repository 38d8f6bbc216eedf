"""Celery tasks: each calls one function. `helios.webhooks.…` run on the senders, the others by the housekeeping worker.

The senders are threads, and have a worker of their own: the housekeeping worker does one thing after the other, and
waiting for a slow receiver there would keep the sweeper of runs from its ticks.
"""

from __future__ import annotations

from celery import shared_task

from apps.webhooks import sending, services
from apps.webhooks.queue import DELIVER_DUE, ring
from apps.webhooks.services.notices import SEND


@shared_task(name=DELIVER_DUE)
def deliver_due() -> None:
    if sending.deliver_due():
        ring()


@shared_task(name="helios.housekeeping.remove_webhook_leftovers")
def remove_webhook_leftovers() -> None:
    services.remove_old_deliveries()


@shared_task(name=SEND)
def send_webhook_notices() -> None:
    services.send_due_notices()

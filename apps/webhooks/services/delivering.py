"""One try of one delivery: claimed by a lease, ended once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts import audit
from apps.webhooks.event_types import TEST
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.services import notices
from apps.webhooks.services.emitting import is_farewell, without_label
from apps.webhooks.services.endpoints import disable_endpoint

# Pauses between the tries of a delivery, beginning after the first.
SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
RESPONSE_CHARS = 500
MAX_AT_ONCE = 4  # tries under way to one endpoint: a slow receiver never takes all the senders
BATCH = 5000

# `SKIP LOCKED` lets senders that look at the same time take different deliveries; the clock is the database's.
_CLAIM = """
UPDATE webhooks_webhookdelivery AS delivery
SET lease_ends_at = statement_timestamp() + %(lease)s, claims = claims + 1
FROM webhooks_webhookendpoint AS endpoint
WHERE endpoint.id = delivery.endpoint_id AND endpoint.is_enabled AND delivery.id = (
    SELECT id FROM webhooks_webhookdelivery
    WHERE endpoint_id = %(endpoint)s
        AND next_try_at <= statement_timestamp()
        AND (lease_ends_at IS NULL OR lease_ends_at <= statement_timestamp())
        AND %(at_once)s > (
            SELECT count(*) FROM webhooks_webhookdelivery
            WHERE endpoint_id = %(endpoint)s AND lease_ends_at > statement_timestamp()
        )
    ORDER BY next_try_at LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING delivery.id, delivery.claims, delivery.event, delivery.body, endpoint.id, endpoint.url
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to one try of a delivery until its lease ends; `number` is the token that ending it asks for."""

    delivery_id: UUID
    number: int
    event: str
    body: str
    endpoint_id: UUID
    url: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended: the status and beginning of an answer, or why there was none."""

    status: int | None = None
    response: str = ""
    error: str = ""

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def claim_delivery(*, endpoint_id: UUID) -> Claim | None:
    """Take the delivery that has been due longest for this endpoint; None when there is nothing to send to it."""
    values: dict[str, Any] = {
        "lease": timedelta(seconds=settings.WEBHOOK_LEASE_SECONDS),
        "endpoint": endpoint_id,
        "at_once": MAX_AT_ONCE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    return None if row is None else Claim(*row)


@transaction.atomic
def finish_delivery(*, claim: Claim, outcome: Outcome) -> bool:
    """Write how a try ended; after the last one of the schedule the endpoint is disabled. False: the try was no longer
    this sender's, since its lease had ended, or the delivery was sent again or removed."""
    # The endpoint first, as everywhere: it may have to be disabled, and may be about to be deleted.
    list(WebhookEndpoint.objects.select_for_update(no_key=True).filter(id=claim.endpoint_id).values_list("id"))
    mine = WebhookDelivery.objects.select_for_update(no_key=True).filter(
        id=claim.delivery_id, claims=claim.number, lease_ends_at__isnull=False
    )
    delivery = mine.first()
    if delivery is None:
        return False
    now = timezone.now()
    delivery.attempts += 1
    delivery.last_try_at = now
    delivery.lease_ends_at = None
    delivery.response_status = outcome.status
    delivery.response = outcome.response.replace("\x00", "")[:RESPONSE_CHARS]
    delivery.error = outcome.error[:300]
    delivery.delivered_at = now if outcome.is_delivered else None
    delivery.next_try_at = None if outcome.is_delivered else _next_try(delivery)
    if delivery.next_try_at is None and is_farewell(delivery.event):
        delivery.body = without_label(delivery.body)
    delivery.save()
    if delivery.status == "FAILED" and delivery.event != TEST:
        reason = f"Delivery {delivery.id} failed {delivery.attempts} times."
        if disable_endpoint(actor=audit.SYSTEM, endpoint_id=claim.endpoint_id, reason=reason):
            notices.announce_disabled(delivery)
    return True


def _next_try(delivery: WebhookDelivery) -> Combinable | None:
    if delivery.event == TEST or delivery.attempts > len(SCHEDULE):
        return None
    return Now() + SCHEDULE[delivery.attempts - 1]


def remove_old_deliveries() -> int:
    """Remove deliveries past their retention, whatever became of them; how many."""
    before = timezone.now() - timedelta(days=settings.HELIOS_WEBHOOK_RETENTION_DAYS)
    removed = 0
    while some := list(WebhookDelivery.objects.filter(created_at__lt=before).values_list("id", flat=True)[:BATCH]):
        removed += WebhookDelivery.objects.filter(id__in=some).delete()[0]
    return removed

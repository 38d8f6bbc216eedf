"""Reads of webhooks. Those of an organisation's data begin with the organisation."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from apps.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from apps.webhooks.signing import PURPOSE
from helios_site.encryption import decrypt

_WITH_WORK = """
SELECT endpoint.id FROM webhooks_webhookendpoint AS endpoint
JOIN LATERAL (
    SELECT next_try_at FROM webhooks_webhookdelivery AS delivery
    WHERE delivery.endpoint_id = endpoint.id AND delivery.next_try_at <= statement_timestamp()
        AND (delivery.lease_ends_at IS NULL OR delivery.lease_ends_at <= statement_timestamp())
    ORDER BY next_try_at LIMIT 1
) AS oldest ON true
WHERE endpoint.is_enabled
ORDER BY oldest.next_try_at
"""


def list_endpoints(organization_id: UUID) -> QuerySet[WebhookEndpoint]:
    """The organisation's endpoints, newest first."""
    return WebhookEndpoint.objects.filter(organization_id=organization_id).order_by("-created_at", "-id")


def list_deliveries(endpoint_id: UUID) -> QuerySet[WebhookDelivery]:
    """What was, or is to be, sent to an endpoint, newest first."""
    return WebhookDelivery.objects.filter(endpoint_id=endpoint_id).order_by("-created_at", "-id")


def last_deliveries(organization_id: UUID) -> dict[UUID, WebhookDelivery]:
    """The newest delivery of each of the organisation's endpoints, by the endpoint's id. One query, which looks at one
    row of each, however many there are."""
    newest = WebhookDelivery.objects.filter(endpoint_id=OuterRef("id")).order_by("-created_at", "-id").values("id")[:1]
    ids = WebhookEndpoint.objects.filter(organization_id=organization_id).values_list(Subquery(newest))
    return {delivery.endpoint_id: delivery for delivery in WebhookDelivery.objects.filter(id__in=ids)}


def earlier_secrets(endpoint_id: UUID) -> list[datetime | None]:
    """Until when secrets that were rotated sign too, the one that ends last first."""
    ends = WebhookSecret.objects.filter(endpoint=endpoint_id, ends_at__gt=timezone.now()).order_by("-ends_at")
    return list(ends.values_list("ends_at", flat=True))


def endpoints_with_work() -> list[UUID]:
    """Endpoints for which something is due, the one that has waited longest first."""
    with connection.cursor() as cursor:
        cursor.execute(_WITH_WORK)
        return [endpoint_id for (endpoint_id,) in cursor.fetchall()]


def signing_secrets(endpoint_id: UUID) -> list[str]:
    """The secrets that sign now, the current one first. Raises CannotDecrypt."""
    valid = WebhookSecret.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=timezone.now()), endpoint=endpoint_id)
    newest_first = valid.order_by("-id").values_list("encrypted", flat=True)
    return [decrypt(bytes(encrypted), purpose=PURPOSE) for encrypted in newest_first]

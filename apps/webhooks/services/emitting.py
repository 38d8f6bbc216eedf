"""Deliveries come into being: by an event, a test, or a resend."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts import audit
from apps.webhooks.event_types import TEST
from apps.webhooks.models import WebhookDelivery
from apps.webhooks.queue import ring_on_commit
from apps.webhooks.services import trail
from apps.webhooks.services.endpoints import EndpointDisabled, lock_endpoint
from helios_site.api.events import Event

# One statement finds who listens and writes what they get. The key lock holds off a deletion of the endpoint, whose
# foreign key would otherwise fail the transaction that only wants to end a run. An object that is gone takes what was
# said of it before along, as a delivery carries the label of a person; there, too, the endpoint is locked first.
_EMIT = """
WITH forgotten AS (
    DELETE FROM webhooks_webhookdelivery AS delivery
    USING (SELECT id FROM webhooks_webhookendpoint WHERE organization_id = ANY(%s::uuid[]) FOR KEY SHARE) AS endpoint
    WHERE delivery.endpoint_id = endpoint.id AND delivery.object_id = ANY(%s::uuid[])
)
INSERT INTO webhooks_webhookdelivery
    (id, endpoint_id, event, object_id, body, created_at, next_try_at, claims, attempts, response, error)
SELECT gen_random_uuid(), endpoint.id, said.event, said.object_id, said.body,
    statement_timestamp(), statement_timestamp(), 0, 0, '', ''
FROM webhooks_webhookendpoint AS endpoint
JOIN unnest(%s::uuid[], %s::text[], %s::uuid[], %s::text[]) AS said (organization_id, event, object_id, body)
    ON said.organization_id = endpoint.organization_id AND said.event = ANY(endpoint.events)
WHERE endpoint.is_enabled
FOR KEY SHARE OF endpoint
"""
_FORGET = """
DELETE FROM webhooks_webhookdelivery AS delivery
USING (SELECT id FROM webhooks_webhookendpoint WHERE organization_id = %s FOR KEY SHARE) AS endpoint
WHERE delivery.endpoint_id = endpoint.id AND delivery.object_id = ANY(%s::uuid[])
"""


def emit(*events: Event) -> None:
    """Have the endpoints told that chose these events: one statement in the caller's transaction, whoever listens.

    A `….deleted` event removes the deliveries of earlier events of its object; its own body loses the label once it
    has arrived, or has been given up.
    """
    gone = [event for event in events if is_farewell(event.type)]
    whose, which = [event.organization_id for event in gone], [event.object_id for event in gone]
    columns = [(event.organization_id, event.type, event.object_id, body_of(event)) for event in events]
    with connection.cursor() as cursor:
        cursor.execute(_EMIT, [whose, which, *map(list, zip(*columns, strict=True))])
        if cursor.rowcount:
            ring_on_commit()


def forget_deliveries(*, organization_id: UUID, object_ids: list[UUID]) -> None:
    """Remove what was told, or is still to be told, of objects that are erased."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [organization_id, object_ids])


def body_of(event: Event) -> str:
    """The JSON of an event. Whoever wants scores reads the run."""
    data = {"id": str(event.object_id), "status": event.status, "userLabel": event.user_label}
    timestamp = timezone.now().replace(microsecond=0).isoformat()
    return json.dumps({"type": event.type, "timestamp": timestamp, "data": data}, separators=(",", ":"))


def is_farewell(kind: str) -> bool:
    """Whether events of this type say that their object is gone."""
    return kind.endswith(".deleted")


def without_label(body: str) -> str:
    """The JSON of an event without the person's label; sent again, it is signed anew."""
    event = json.loads(body)
    event["data"]["userLabel"] = None
    return json.dumps(event, separators=(",", ":"))


@transaction.atomic
def send_test(*, actor: audit.Actor, organization_id: UUID, endpoint_id: UUID) -> WebhookDelivery | None:
    """One `webhook.test` for the endpoint, whatever it has chosen, tried once; None when there is no such endpoint.

    Raises EndpointDisabled.
    """
    endpoint = lock_endpoint(organization_id, endpoint_id)
    if endpoint is None:
        return None
    if not endpoint.is_enabled:
        raise EndpointDisabled
    event = Event(TEST, organization_id, uuid4(), "TEST")
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event=TEST, object_id=event.object_id, body=body_of(event), next_try_at=Now()
    )
    trail.record("test_sent", endpoint, actor=actor)
    ring_on_commit()
    delivery.refresh_from_db(fields=["next_try_at"])
    return delivery


@transaction.atomic
def resend_delivery(
    *, actor: audit.Actor, organization_id: UUID, endpoint_id: UUID, delivery_id: UUID
) -> WebhookDelivery | None:
    """Send an event again from the beginning of the schedule, under the same `webhook-id`; None when it is not there.

    A try that is under way counts no more. Raises EndpointDisabled.
    """
    endpoint = lock_endpoint(organization_id, endpoint_id)
    if endpoint is None:
        return None
    deliveries = endpoint.deliveries.filter(id=delivery_id)
    if not endpoint.is_enabled and deliveries.exists():
        raise EndpointDisabled
    if not deliveries.update(
        next_try_at=Now(), lease_ends_at=None, claims=F("claims") + 1, attempts=0, delivered_at=None
    ):
        return None
    trail.record("resent", endpoint, actor=actor, reason=f"delivery {delivery_id}")
    ring_on_commit()
    return deliveries.get()

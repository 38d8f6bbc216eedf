from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.webhooks import sending, services
from apps.webhooks.event_types import EVENT_TYPES
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from helios_site.api.events import Event
from tests.model_runs.conftest import make_finished, make_run, make_running  # noqa: F401 - fixtures for all here
from tests.receiver import Receiver, receiving

PUBLIC = "https://93.184.216.34/hook"  # never called: nothing is sent in the tests that name it

MakeEndpoint = Callable[..., WebhookEndpoint]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.HELIOS_WEBHOOK_ALLOW_CIDRS = (ipaddress.ip_network("127.0.0.0/8"),)
    with receiving() as found:
        yield found


@pytest.fixture
def make_endpoint(organization: Organization) -> MakeEndpoint:
    """`make_endpoint(url=…, events=…, organization=…)`; its secret is in the attribute `secret`."""

    def make(
        url: str = PUBLIC, events: Any = tuple(EVENT_TYPES), organization: Organization = organization
    ) -> WebhookEndpoint:
        endpoint, secret = services.create_endpoint(
            actor=SYSTEM, organization_id=organization.id, url=url, events=list(events)
        )
        endpoint.secret = secret  # type: ignore[attr-defined]
        return endpoint

    return make


def say(organization: Organization, kind: str = "model_run.completed", **fields: Any) -> None:
    """Emit one event."""
    fields = {"object_id": uuid4(), "status": "COMPLETE_OK", "user_label": "person-1", **fields}
    services.emit(Event(kind, organization.id, **fields))


def send(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Make the endpoint's only delivery due, whatever it waits for, and send what is due."""
    endpoint.deliveries.filter(next_try_at__isnull=False).update(next_try_at=Now())
    sending.deliver_due()
    return endpoint.deliveries.get()

"""What the calls about webhooks take and give."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.webhooks.event_types import EVENT_TYPES
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from helios_site import outgoing
from helios_site.api.families.helios.fields import Members, Text, fail, moment
from helios_site.outgoing.targets import MAX_URL_CHARS

RESOLVE_SECONDS = 2.0  # how long a create may wait for the name; one that nobody knows yet is tried again at each send
# What a description can say of it. Addresses in place of names are taken as well, if they are public.
_LABEL = "[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_USUAL_URL = rf"^https://({_LABEL}[.]){{1,3}}{_LABEL}(:[1-9][0-9]{{0,3}})?(/[A-Za-z0-9/._~?&=-]{{0,500}})?$"


class UrlField(Text):
    """An https URL, or http into the networks that the operator has opened, whose host may be called from here."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            fail("type_error.str")
        url = super().to_internal_value(data)
        try:
            target = outgoing.parse(url)
            outgoing.require_allowed(target, settings.HELIOS_WEBHOOK_ALLOW_CIDRS, timeout=RESOLVE_SECONDS)
        except (outgoing.InvalidURL, outgoing.Refused) as error:
            fail("value_error", f"this URL cannot be called: {error}")
        except outgoing.CannotResolve:
            if not target.is_encrypted:
                fail("value_error", "this URL cannot be called: it must begin with https://")
        return url

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": _USUAL_URL}


class ChosenEvents(Members):
    """At least one event."""

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        chosen = super().to_internal_value(data)
        if not chosen:
            fail("value_error", "choose at least one event")
        return chosen

    def json_schema(self) -> dict[str, Any]:
        return {**super().json_schema(), "minItems": 1}


class WebhookCreateSerializer(serializers.Serializer):
    url = UrlField(
        min_length=1, max_length=MAX_URL_CHARS, help_text="Where events are sent: https, publicly reachable."
    )
    events = ChosenEvents(choices=list(EVENT_TYPES), help_text="What to be told of.")


ENDPOINT_FIELDS = ("id", "url", "events", "is_enabled", "disabled_reason", "created_at")


def endpoint_body(row: dict[str, Any]) -> dict[str, Any]:
    """An endpoint without its secret, from a row of ENDPOINT_FIELDS."""
    return {
        "id": str(row["id"]),
        "url": row["url"],
        "events": row["events"],
        "enabled": row["is_enabled"],
        "disabledReason": row["disabled_reason"] or None,
        "createdAt": moment(row["created_at"]),
    }


def endpoint_row(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {name: getattr(endpoint, name) for name in ENDPOINT_FIELDS}


DELIVERY_FIELDS = (
    "id",
    "event",
    "created_at",
    "attempts",
    "last_try_at",
    "next_try_at",
    "delivered_at",
    "response_status",
    "response",
    "error",
)


def delivery_body(delivery: WebhookDelivery) -> dict[str, Any]:
    """A line of the log. The event's body is not in it: whoever may see webhooks need not see runs."""
    return {
        "id": str(delivery.id),
        "event": delivery.event,
        "status": delivery.status,
        "createdAt": moment(delivery.created_at),
        "attempts": delivery.attempts,
        "lastTryAt": moment(delivery.last_try_at),
        "nextTryAt": moment(delivery.next_try_at),
        "deliveredAt": moment(delivery.delivered_at),
        "responseStatus": delivery.response_status,
        "response": delivery.response or None,
        "error": delivery.error or None,
    }

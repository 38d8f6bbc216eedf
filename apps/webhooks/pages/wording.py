"""A delivery as a person reads it."""

from __future__ import annotations

import json
from typing import Any

from apps.webhooks.event_types import EVENT_TYPES, TEST
from apps.webhooks.models import WebhookDelivery

LEFT_OUT = "…"  # in place of a person's label: whoever looks after webhooks need not see runs


def of_event(kind: str) -> str:
    """What the event says, as a sentence's beginning; empty for a type that is no longer sent."""
    return "a test" if kind == TEST else EVENT_TYPES.get(kind, "")


def outcome(delivery: WebhookDelivery, *, is_enabled: bool) -> str:
    """`Delivered`, `Failed`, or what the delivery waits for."""
    if delivery.status == "DELIVERED":
        return "Delivered"
    if delivery.status == "FAILED":
        return "Failed"
    if not is_enabled:
        return "Held back"
    return "On its way" if delivery.attempts == 0 else "Tried in vain"


def answer(delivery: WebhookDelivery) -> str:
    """To the last try: its status, or why there was none; empty before the first one ended, also after a resend."""
    if delivery.attempts == 0:
        return ""
    return f"status {delivery.response_status}" if delivery.response_status else delivery.error


def tries(delivery: WebhookDelivery) -> str:
    if delivery.attempts == 0:
        return "no try yet"
    return "1 try" if delivery.attempts == 1 else f"{delivery.attempts} tries"


def body(delivery: WebhookDelivery) -> str:
    """What is sent, indented, without the label of the person whom it is about."""
    said = json.loads(delivery.body)
    if said["data"].get("userLabel") is not None:
        said["data"]["userLabel"] = LEFT_OUT
    return json.dumps(said, indent=2, ensure_ascii=False)


def row(delivery: WebhookDelivery, *, is_enabled: bool) -> dict[str, Any]:
    """What the page shows of a delivery."""
    return {
        "delivery": delivery,
        "meaning": of_event(delivery.event),
        "outcome": outcome(delivery, is_enabled=is_enabled),
        "answer": answer(delivery),
        "tries": tries(delivery),
        "body": body(delivery),
    }


def news(delivery: WebhookDelivery, *, is_enabled: bool) -> dict[str, Any]:
    """The same for the page's script: what changes while a delivery waits."""
    waits = is_enabled and delivery.attempts > 0 and delivery.next_try_at
    return {
        "status": delivery.status,
        "outcome": outcome(delivery, is_enabled=is_enabled),
        "answer": answer(delivery),
        "tries": tries(delivery),
        "nextTryAt": delivery.next_try_at.strftime("%Y-%m-%dT%H:%M:%SZ") if waits else None,  # type: ignore[union-attr]
        "response": delivery.response,
    }

"""Webhooks in the API description: the calls, and what receivers are sent."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from apps.webhooks.event_types import EVENT_TYPES, TEST
from apps.webhooks.serializers import WebhookCreateSerializer
from helios_site.api.families.helios.openapi import MOMENT
from helios_site.api.families.helios.query import CURSOR_PATTERN, DEFAULT_LIMIT, MAX_LIMIT
from helios_site.api.families.schema import TEXT, UUID, Schema, component, example, fixed, nullable

_EVENT: Schema = {"type": "string", "enum": list(EVENT_TYPES)}
_ANY_EVENT: Schema = {"type": "string", "enum": [*EVENT_TYPES, TEST]}
_NUMBER: Schema = {"type": "integer", "minimum": 0}
_SECRET: Schema = {"type": "string", "pattern": "^whsec_", "description": "Shown in this reply only."}
_ENDPOINT: dict[str, Schema] = {
    "id": UUID,
    "url": TEXT,
    "events": {"type": "array", "items": _EVENT},
    "enabled": {"type": "boolean"},
    "disabledReason": nullable(TEXT),
    "createdAt": MOMENT,
}
_DELIVERY: dict[str, Schema] = {
    "id": {**UUID, "description": "The `webhook-id` of every try."},
    "event": _ANY_EVENT,
    "status": {"type": "string", "enum": ["PENDING", "DELIVERED", "FAILED"]},
    "createdAt": MOMENT,
    "attempts": _NUMBER,
    "lastTryAt": nullable(MOMENT),
    "nextTryAt": nullable(MOMENT),
    "deliveredAt": nullable(MOMENT),
    "responseStatus": nullable(_NUMBER),
    "response": nullable(TEXT),
    "error": nullable(TEXT),
}


def _page(item: str) -> Schema:
    return fixed({"items": {"type": "array", "items": component(item)}, "nextCursor": nullable(TEXT)})


_SCHEMAS: dict[str, Schema] = {
    "Webhook": fixed(_ENDPOINT),
    "WebhookCreateResponse": fixed({**_ENDPOINT, "secret": _SECRET}),
    "WebhookListResponse": _page("Webhook"),
    "WebhookDeleteResponse": fixed({"id": UUID, "deleted": {"const": True}}),
    "WebhookRotateResponse": fixed({"id": UUID, "secret": _SECRET, "previousSecretEndsAt": MOMENT}),
    "WebhookDelivery": fixed(_DELIVERY),
    "WebhookDeliveryListResponse": _page("WebhookDelivery"),
    "WebhookEvent": fixed(
        {
            "type": _ANY_EVENT,
            "timestamp": MOMENT,
            "data": fixed({"id": UUID, "status": TEXT, "userLabel": nullable(TEXT)}),
        },
        "Scores and transcripts are never sent: read the run.",
    ),
}
_DELIVERY_RULES = (
    "Each event is a POST of the Standard Webhooks form, with the headers `webhook-id`, `webhook-timestamp` and "
    "`webhook-signature`. An answer of 2xx within 10 s counts as delivered; otherwise it is tried again after 5 s, "
    "5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, and then the webhook is disabled. An event may arrive more "
    "than once, under the same `webhook-id`. Redirects are not followed.\n\n"
) + "\n".join(f"- `{name}`: {meaning}" for name, meaning in EVENT_TYPES.items())

_WEBHOOK_ID = OpenApiParameter("webhook_id", UUID, OpenApiParameter.PATH, description="Id of the webhook.")
_DELIVERY_ID = OpenApiParameter("delivery_id", UUID, OpenApiParameter.PATH, description="Id of the delivery.")
_PAGING = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT},
        OpenApiParameter.QUERY,
        description=f"Items on the page; more than {MAX_LIMIT} means {MAX_LIMIT}.",
    ),
    OpenApiParameter(
        "cursor",
        {"type": "string", "pattern": f"^{CURSOR_PATTERN}$"},
        OpenApiParameter.QUERY,
        description="`nextCursor` of the page before.",
    ),
]


def _ok(name: str, description: str) -> dict[int, OpenApiResponse]:
    return {200: OpenApiResponse(component(name), description=description)}


def _action(operation_id: str, summary: str, reply: str, said: str, *more: OpenApiParameter, text: str = "") -> Any:
    """A POST without a body to a path below one webhook."""
    operation = extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=text or summary,
        request=None,
        parameters=[_WEBHOOK_ID, *more],
        responses=_ok(reply, said),
    )
    return extend_schema_view(create=operation)


webhooks = extend_schema_view(
    create=extend_schema(
        operation_id="webhook_create",
        summary="Be told of events at a URL of yours",
        description=_DELIVERY_RULES,
        request=WebhookCreateSerializer,
        examples=example(
            "When a run ends",
            {"url": "https://example.org/helios", "events": ["model_run.completed", "model_run.failed"]},
        ),
        responses=_ok("WebhookCreateResponse", "The webhook, with the secret that signs its events."),
    ),
    list=extend_schema(
        operation_id="webhook_list",
        summary="List webhooks, newest first",
        parameters=_PAGING,
        responses=_ok("WebhookListResponse", "A page of webhooks."),
    ),
    retrieve=extend_schema(
        operation_id="webhook_retrieve",
        summary="Read a webhook",
        parameters=[_WEBHOOK_ID],
        responses=_ok("Webhook", "The webhook, without its secret."),
    ),
    destroy=extend_schema(
        operation_id="webhook_delete",
        summary="Remove a webhook with its log",
        parameters=[_WEBHOOK_ID],
        responses=_ok("WebhookDeleteResponse", "It is gone; from now on 404."),
    ),
)
rotation = _action(
    "webhook_rotate",
    "Replace the secret",
    "WebhookRotateResponse",
    "The new secret.",
    text="For 24 hours every event carries a signature by the new secret and one by the secret before, so that "
    "receivers can be changed in their own time.",
)
enabling = _action(
    "webhook_enable",
    "Enable a webhook that was disabled",
    "Webhook",
    "The webhook. Doing it again is harmless.",
    text="What was waiting is sent; events that happened meanwhile were not kept.",
)
test = _action(
    "webhook_test",
    "Send a test event",
    "WebhookDelivery",
    "The delivery; its result is in the log.",
    text="`webhook.test` is sent at once, whatever the webhook has chosen, and tried once.",
)
deliveries = extend_schema_view(
    list=extend_schema(
        operation_id="webhook_deliveries",
        summary="Read the log of a webhook, newest first",
        parameters=[_WEBHOOK_ID, *_PAGING],
        responses=_ok("WebhookDeliveryListResponse", "A page of deliveries."),
    )
)
resend = _action(
    "webhook_resend",
    "Send an event again",
    "WebhookDelivery",
    "The delivery, which waits again.",
    _DELIVERY_ID,
    text="Under the same `webhook-id`, from the beginning of the schedule.",
)


def describe_webhooks(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name, and what receivers get."""
    result["components"].setdefault("schemas", {}).update(_SCHEMAS)
    pages = {
        "/v1/webhooks": "WebhookListResponse",
        "/v1/webhooks/{webhook_id}/deliveries": "WebhookDeliveryListResponse",
    }
    for path, name in pages.items():  # the generator takes every list for an array of items
        content = result["paths"][path]["get"]["responses"]["200"]["content"]
        content["application/json"]["schema"] = component(name)
    result["webhooks"] = {
        "event": {
            "post": {
                "summary": "An event",
                "description": "What a webhook's URL is sent.",
                "requestBody": {"content": {"application/json": {"schema": component("WebhookEvent")}}},
                "responses": {"200": {"description": "Any 2xx: it has arrived."}},
            }
        }
    }
    return result

"""Keys in the API description: what each operation takes and gives, and how a session is sent."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from apps.api_keys.scopes import API_KEY_SCOPES
from apps.api_keys.serializers import (
    KeyChangeSerializer,
    KeyCreateSerializer,
    KeyRotationSerializer,
    LeakReportSerializer,
)
from helios_site.api.families.healos.openapi import LIST_META, MOMENT, paging
from helios_site.api.families.schema import TEXT, UUID, Schema, component, example, fixed, nullable

_STATUSES = ["active", "grace", "expired", "revoked"]
_KEY: dict[str, Schema] = {
    "id": UUID,
    "name": TEXT,
    "key_prefix": TEXT,
    "scopes": {"type": "array", "items": {"type": "string", "enum": list(API_KEY_SCOPES)}},
    "expires_at": nullable(MOMENT),
    "revoked_at": nullable(MOMENT),
    "last_used_at": nullable(MOMENT),
    "allowed_cidrs": {"type": "array", "items": TEXT},
    "rate_limit_per_minute": nullable({"type": "integer", "minimum": 1}),
    "status": {"type": "string", "enum": _STATUSES},
    "created_at": MOMENT,
    "grace_ends_at": nullable(MOMENT),
    "superseded_by": nullable(UUID),
}
_OWN_KEY: dict[str, Schema] = {
    **{name: _KEY[name] for name in ("id", "name", "key_prefix", "scopes", "expires_at", "grace_ends_at")},
    "status": {"type": "string", "enum": ["active", "grace"]},
    "allowed_cidrs": _KEY["allowed_cidrs"],
    "rate_limit_per_minute": _KEY["rate_limit_per_minute"],
    "rate_limit": fixed({"limit": {"type": "integer", "minimum": 1}, "window_seconds": {"type": "integer"}}),
}
_ID = OpenApiParameter("key_id", UUID, OpenApiParameter.PATH, description="Id of the key; not the key itself.")


def _reply(status: int, name: str, description: str) -> dict[int, OpenApiResponse]:
    return {status: OpenApiResponse(component(name), description=description)}


keys = extend_schema_view(
    list=extend_schema(
        operation_id="api_keys_list",
        summary="List the organisation's keys, newest first",
        parameters=paging("Keys"),
        responses=_reply(200, "ApiKeyList", "A page of keys, revoked and expired ones included."),
    ),
    create=extend_schema(
        operation_id="api_keys_create",
        summary="Issue a key",
        description="The reply is the only place where the key itself is ever shown.",
        request=KeyCreateSerializer,
        examples=example("One that may only read", {"name": "Nightly report", "scopes": ["model_runs:read"]}),
        responses=_reply(201, "IssuedApiKeyReply", "The new key."),
    ),
    retrieve=extend_schema(
        operation_id="api_keys_retrieve",
        summary="Read one key",
        parameters=[_ID],
        responses=_reply(200, "ApiKeyReply", "The key, without its secret."),
    ),
    partial_update=extend_schema(
        operation_id="api_keys_update",
        summary="Change name, scopes, networks or limit of a key",
        parameters=[_ID],
        request=KeyChangeSerializer,
        examples=example("A lower limit", {"name": "Nightly report", "rate_limit_per_minute": 60}),
        responses=_reply(200, "ApiKeyReply", "The changed key; its next call is judged by the new values."),
    ),
    destroy=extend_schema(
        operation_id="api_keys_revoke",
        summary="Revoke a key at once and for ever",
        parameters=[_ID],
        responses=_reply(200, "ApiKeyReply", "The revoked key. Doing it again is harmless."),
    ),
)
rotation = extend_schema(
    operation_id="api_keys_rotate",
    summary="Replace a key by a new one; the old one stays valid for a while",
    parameters=[_ID],
    request=KeyRotationSerializer,
    examples=example("With an hour to change over", {"grace_period_seconds": 3600}),
    responses=_reply(201, "IssuedApiKeyReply", "The successor, with the key itself."),
)


own_key = extend_schema_view(
    retrieve=extend_schema(
        operation_id="own_key",
        summary="What is this key",
        responses=_reply(200, "OwnKeyReply", "The calling key, and the limit that it is held to in this API."),
    )
)
leak_report = extend_schema(
    operation_id="api_keys_report_leak",
    summary="Report a leaked key",
    description="Whoever holds the whole key may have it revoked, at once and for ever.",
    request=LeakReportSerializer,
    examples=example("A key that was found somewhere", {"key": "the whole key as it was found"}),
    responses=_reply(200, "LeakReportReply", "Whether this call revoked the key; an unknown one answers alike."),
)


def describe_keys(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name."""
    message = {"properties": {"data": component("ApiKey"), "message": TEXT}}
    result["components"].setdefault("schemas", {}).update(
        {
            "ApiKey": fixed(_KEY),
            "IssuedApiKey": fixed({**_KEY, "key": {"type": "string", "pattern": "^hlsk_[0-9A-Za-z]{38,49}$"}}),
            "ApiKeyReply": fixed({"data": component("ApiKey")}) | message,
            "IssuedApiKeyReply": fixed({"data": component("IssuedApiKey")}),
            "OwnKeyReply": fixed({"data": fixed(_OWN_KEY)}),
            "LeakReportReply": fixed({"data": fixed({"revoked": {"type": "boolean"}})}),
            "ApiKeyList": fixed(
                {"data": {"type": "array", "items": component("ApiKey")}, "meta": component(LIST_META)}
            ),
        }
    )
    # The generator takes every list for an array of items; ours is a page.
    page = result["paths"]["/api/v1/ext-api-keys"]["get"]["responses"]["200"]["content"]
    page["application/json"]["schema"] = component("ApiKeyList")
    rotation = result["paths"]["/api/v1/ext-api-keys/{key_id}/rotate"]["post"]["requestBody"]
    rotation["required"] = False
    result["paths"]["/api/v1/ext-api-keys/report-leak"]["post"]["security"] = []
    result["paths"]["/api/v1/ext-api-keys/{key_id}"]["patch"]["requestBody"]["required"] = True
    return result


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "apps.api_keys.authentication.CountedMemberAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The session of a signed-in admin; writes also need the header `X-CSRFToken`.",
        }

"""The audit trail in the API description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from apps.accounts.models import AuditEvent
from apps.api_keys.audit_events.filters import LONGEST
from helios_site.api.families.healos.openapi import LIST_META, MOMENT, paging
from helios_site.api.families.schema import TEXT, UUID, Schema, component, fixed, nullable

LIST = "/ext-api/v1/audit-events"
EXPORT = f"{LIST}/export"

_SHIFTS = (
    "Reading the trail is an event, too, and new events move the others to later pages: name a `to` that has passed "
    "to read pages that stand still."
)
_EVENT: dict[str, Schema] = {
    "id": {"type": "string", "pattern": "^[0-9]+$"},
    "at": MOMENT,
    "action": {"type": "string", "description": "`object.verb`, such as `api_key.revoked`."},
    "outcome": {"type": "string", "description": "`ok`, or what came instead."},
    "actor": fixed(
        {
            "type": {"type": "string", "enum": list(AuditEvent.Actor.values)},
            "id": nullable({"type": "string", "description": "Of the key or the person."}),
            "key_prefix": nullable({"type": "string", "description": "Of a key of the organisation."}),
            "email": nullable({"type": "string", "description": "Of a member of the organisation."}),
        }
    ),
    "object_type": TEXT,
    "object_id": TEXT,
    "reason": TEXT,
    "address": nullable(TEXT),
    "method": TEXT,
    "path": TEXT,
    "request_id": TEXT,
}


def _query(name: str, schema: Schema, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)


def _filters() -> list[OpenApiParameter]:
    moment: Schema = {"anyOf": [{"type": "string", "format": "date"}, MOMENT]}
    word: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"^[^\x00]*$"}
    return [
        _query("from", moment, "Then or later. A date is a UTC day."),
        _query("to", moment, "Then or earlier. A date means the whole UTC day."),
        _query("key_id", UUID, "Done with this key."),
        _query("object_type", word, "Done to such an object, as `api_key`."),
        _query("object_id", word, "Done to this object."),
        _query("action", word, "Exactly this action."),
    ]


audit_events = extend_schema_view(
    list=extend_schema(
        operation_id="audit_events_list",
        summary="List the organisation's audit trail, newest first",
        description=_SHIFTS,
        parameters=[*paging("Events"), *_filters()],
        responses={200: OpenApiResponse(component("AuditEventList"), description="A page of events.")},
    )
)
audit_export = extend_schema_view(
    list=extend_schema(
        operation_id="audit_events_export",
        summary="Download the organisation's audit trail with its seals",
        description="One JSON object a line, as of one moment, oldest first. Without its `hash` a line is what was "
        'hashed; the last line is `{"count": n, "type": "end"}`, and where it is missing the rest is, too.',
        parameters=_filters(),
        responses={(200, "application/x-ndjson"): OpenApiResponse(TEXT, description="The events.")},
    )
)


def describe_audit(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: the schemas that the operations name."""
    events = {"data": {"type": "array", "items": component("AuditEvent")}, "meta": component(LIST_META)}
    result["components"].setdefault("schemas", {}).update(
        {"AuditEvent": fixed(_EVENT), "AuditEventList": fixed(events)}
    )
    # The generator takes every list for an array of items; ours is a page.
    for path, media, schema in (
        (LIST, "application/json", component("AuditEventList")),
        (EXPORT, "application/x-ndjson", TEXT),
    ):
        result["paths"][path]["get"]["responses"]["200"]["content"] = {media: {"schema": schema}}
    return result

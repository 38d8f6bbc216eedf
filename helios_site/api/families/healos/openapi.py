"""The Healos family in the API description: error bodies, limit headers, and what every operation can answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter

from helios_site.api.families.healos.fields import MAX_WHOLE
from helios_site.api.families.healos.pages import DEFAULT_LIMIT, MAX_LIMIT
from helios_site.api.families.schema import (
    EXTRA_HEADERS,
    LIMIT_HEADERS,
    TEXT,
    Schema,
    add_key,
    component,
    fixed,
    header_references,
    takes_key,
)


class StrictObject(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Objects that refuse keys which they do not know."""

    target_class = "helios_site.api.families.healos.fields.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> Schema:
        schema: Schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return schema | {"additionalProperties": False}


PREFIXES = ("/api/v1/", "/ext-api/v1/")
MOMENT: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
}
LIST_META = "HealosListMeta"
_WHOLE: Schema = {"type": "integer", "minimum": 0}

SCHEMAS: dict[str, Schema] = {
    "HealosError": fixed({"error": TEXT}),
    "HealosInvalid": fixed({"error": TEXT})
    | {
        "properties": {
            "error": TEXT,
            "details": {"type": "object", "additionalProperties": {"type": "array", "items": TEXT}},
        }
    },
    LIST_META: fixed({"page": _WHOLE, "limit": _WHOLE, "total_pages": _WHOLE}),
}
_ERRORS = {
    "400": ("Body or query fails validation; malformed JSON.", "HealosInvalid"),
    "401": ("No valid credentials.", "HealosError"),
    "403": ("The caller may not do this.", "HealosError"),
    "404": ("Absent, or another organisation's.", "HealosError"),
    "405": ("The path has no such method.", "HealosError"),
    "409": (
        "It does not fit the state of the object; or the same call is under way, or showed a secret.",
        "HealosError",
    ),
    "422": ("The `Idempotency-Key` was used for another body.", "HealosError"),
    "429": ("The limit is reached. A call after `Retry-After` seconds succeeds.", "HealosError"),
    "500": ("A fault inside the service.", "HealosError"),
}
_EXTRA_HEADERS = EXTRA_HEADERS | {"401": {"WWW-Authenticate": {"schema": TEXT}}}


def paging(items: str) -> list[OpenApiParameter]:
    """The parameters of a list with page numbers; `items` as in "Keys"."""

    def number(name: str, default: int, description: str) -> OpenApiParameter:
        schema = {"type": "integer", "minimum": 1, "maximum": MAX_WHOLE, "default": default}
        return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)

    return [
        number("page", 1, "The page; one past the end is empty."),
        number("limit", DEFAULT_LIMIT, f"{items} on the page; more than {MAX_LIMIT} means {MAX_LIMIT}."),
    ]


def _error_response(status: str) -> Schema:
    description, schema = _ERRORS[status]
    return {
        "description": description,
        "headers": header_references(LIMIT_HEADERS) | _EXTRA_HEADERS.get(status, {}),
        "content": {"application/json": {"schema": component(schema)}},
    }


def describe_family(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: every operation of the family answers as it does."""
    for path, operations in result["paths"].items():
        if not path.startswith(PREFIXES):
            continue
        for method, operation in operations.items():
            statuses = {"405", "429", "500"} | ({"401", "403"} if operation.get("security") else set())
            if operation.get("parameters") or "requestBody" in operation:
                statuses.add("400")
            if "{" in path:
                statuses |= {"404"} | ({"409"} if method != "get" else set())
            for response in operation["responses"].values():
                response["headers"] = header_references(LIMIT_HEADERS)
            if takes_key(method, operation):
                statuses |= {"400", "409", "422"}
                add_key(operation)
            for status in sorted(statuses):
                operation["responses"][status] = {"$ref": f"#/components/responses/Healos{status}"}
    components = result["components"]
    components.setdefault("schemas", {}).update(SCHEMAS)
    components["responses"] |= {f"Healos{status}": _error_response(status) for status in _ERRORS}
    return result

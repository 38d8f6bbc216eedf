"""The pieces of which the families make their part of the API description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import OpenApiExample

from helios_site.api.families.idempotency import HEADER, KEPT_HOURS, MAX_CHARS, PATTERN, REPLAYED

Schema = dict[str, Any]


def component(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def fixed(properties: dict[str, Schema], description: str = "") -> Schema:
    """An object that always has all of `properties`."""
    schema: Schema = {"type": "object", "properties": properties, "required": list(properties)}
    return schema | ({"description": description} if description else {})


EXAMPLE_UUID = "3f2b8c1e-5d4a-4f6b-9c7d-0e1f2a3b4c5d"


def example(summary: str, value: Any, media_type: str | None = None) -> list[OpenApiExample]:
    """A body that the operation takes. The samples of /api-reference send it."""
    return [OpenApiExample(summary, value, request_only=True, media_type=media_type)]


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
UUID: Schema = {"type": "string", "format": "uuid"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
LIMIT_HEADERS: dict[str, Schema] = {
    "X-RateLimit-Limit": {"description": "Calls in the window of the bucket that was charged.", "schema": _WHOLE},
    "X-RateLimit-Remaining": {"description": "Calls left after this one.", "schema": _WHOLE},
    "X-RateLimit-Reset": {"description": "Unix seconds when the oldest counted call ends.", "schema": _WHOLE},
}
EXTRA_HEADERS: dict[str, dict[str, Schema]] = {
    "405": {"Allow": {"description": "The methods that the path has.", "schema": TEXT}},
    "429": {"Retry-After": {"description": "Whole seconds.", "schema": {"type": "integer", "minimum": 1}}},
}
REPLAY_HEADER: dict[str, Schema] = {
    REPLAYED: {
        "required": False,
        "description": "`true` on the kept reply of an earlier call with the same `Idempotency-Key`.",
        "schema": {"const": "true"},
    }
}
_IDEMPOTENCY_KEY: Schema = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": f"Any text of yours, new for each call. Sent again with the same body within {KEPT_HOURS} hours, "
    "the call is not done again but answered as the first time: use it to repeat a call whose reply was lost. "
    "The answer is 409 until the first call has ended, and if its reply showed a secret. A call that ended in 429, in "
    "5xx, or in 409 with the record that was in the way, may be sent again, and is done then.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_CHARS, "pattern": f"^{PATTERN}$"},
}


def header_references(names: dict[str, Schema]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def takes_key(method: str, operation: Schema) -> bool:
    """Whether the operation looks at an `Idempotency-Key`: a POST of a caller who is known, whose reply can be kept."""
    reply = operation["responses"].get("200", {}).get("content", {})
    return method == "post" and bool(operation.get("security")) and "application/x-ndjson" not in reply


def add_key(operation: Schema) -> None:
    """Describe the header, and the one that marks a kept reply."""
    operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    for response in operation["responses"].values():
        response.setdefault("headers", {}).update(header_references(REPLAY_HEADER))


class Described:
    """A serializer field that says by itself, as JSON Schema, what it takes."""

    def json_schema(self) -> Schema:
        raise NotImplementedError


class FieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Such fields say by themselves what they take."""

    target_class = "helios_site.api.families.schema.Described"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> Schema:
        schema: Schema = self.target.json_schema()
        return schema

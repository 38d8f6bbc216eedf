"""The pieces of which the families make their part of the API description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension

Schema = dict[str, Any]


def component(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def fixed(properties: dict[str, Schema], description: str = "") -> Schema:
    """An object that always has all of `properties`."""
    schema: Schema = {"type": "object", "properties": properties, "required": list(properties)}
    return schema | ({"description": description} if description else {})


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


def header_references(names: dict[str, Schema]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


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

"""The Healos family in the API description: error bodies, limit headers, and what every operation can answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from helios_site.api.families.healos.fields import MAX_WHOLE
from helios_site.api.families.healos.pages import DEFAULT_LIMIT, MAX_LIMIT, MOST_LIMIT
from helios_site.api.families.schema import (
    EXTRA_HEADERS,
    LIMIT_HEADERS,
    TEXT,
    Described,
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
        for name, found in schema.get("properties", {}).items():
            field = self.target.fields[name]
            if isinstance(field, Described):  # the generator adds what it knows of the field's base: no empty text
                schema["properties"][name] = field.json_schema() | {key: found[key] for key in _SAID if key in found}
        return schema | {"additionalProperties": False}


_SAID = ("description", "writeOnly", "readOnly")
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
    "412": ("The object has changed since: it is no longer the one that `If-Match` names.", "HealosError"),
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

    def number(name: str, most: int, default: int, description: str) -> OpenApiParameter:
        schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
        return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)

    return [
        number("page", MAX_WHOLE, 1, "The page; one past the end is empty."),
        number("limit", MOST_LIMIT, DEFAULT_LIMIT, f"{items} on the page; more than {MAX_LIMIT} means {MAX_LIMIT}."),
    ]


EXAMPLE_ID = "1042"
PATIENT_ID: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}
PATIENT_ID_IN_PATH: Schema = PATIENT_ID | {"examples": [EXAMPLE_ID]}
IF_MATCH, IF_NONE_MATCH = (
    OpenApiParameter(name, TEXT, OpenApiParameter.HEADER, description=description)
    for name, description in (
        ("If-Match", "The `ETag` of the version that is to be changed; of a later one the call is refused with 412."),
        ("If-None-Match", "The `ETag` of a version that you have: if it is still the present one, 304 says so."),
    )
)


def query_parameter(name: str, schema: Schema, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)


def sorting(names: Iterable[str]) -> OpenApiParameter:
    known = [form for name in names for form in (name, f"-{name}")]
    return query_parameter("sort", {"type": "string", "enum": known}, "A leading `-` reverses the order.")


def replies(status: int, name: str, description: str) -> dict[int, OpenApiResponse]:
    """The good reply of an operation, by the name of its schema."""
    return {status: OpenApiResponse(component(name), description=description)}


def object_and_list(name: str, whole: Schema, item: Schema) -> dict[str, Schema]:
    """The schemas `<name>Reply`, `<name>List` and `<name>Deleted` of one kind of object."""
    return {
        f"{name}Reply": fixed({"data": whole}),
        f"{name}List": fixed({"data": {"type": "array", "items": item}, "meta": component(LIST_META)}),
        f"{name}Deleted": fixed({"data": fixed({"id": TEXT}), "message": TEXT}),
    }


def set_list(result: Schema, path: str, name: str) -> None:
    """The generator takes every list for an array of items; ours is a page."""
    content = result["paths"][path]["get"]["responses"]["200"]["content"]
    content["application/json"]["schema"] = component(name)


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
            named = {parameter.get("name") for parameter in operation.get("parameters", ())}
            if "If-Match" in named:
                statuses.add("412")
            if "If-None-Match" in named:
                operation["responses"]["304"] = {
                    "description": "The caller has it already.",
                    "headers": header_references(LIMIT_HEADERS),
                }
            if takes_key(method, operation):
                statuses |= {"400", "409", "422"}
                add_key(operation)
            for status in sorted(statuses):
                operation["responses"][status] = {"$ref": f"#/components/responses/Healos{status}"}
    components = result["components"]
    components.setdefault("schemas", {}).update(SCHEMAS)
    components["responses"] |= {f"Healos{status}": _error_response(status) for status in _ERRORS}
    return result

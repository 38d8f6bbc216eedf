"""The FHIR family in the API description: the forms that its resources share, errors, and limit headers."""

from __future__ import annotations

from typing import Any

from helios_site.api.families.fhir.errors import MEDIA_TYPE
from helios_site.api.families.healos.openapi import MOMENT
from helios_site.api.families.schema import (
    EXTRA_HEADERS,
    LIMIT_HEADERS,
    TEXT,
    Schema,
    component,
    fixed,
    header_references,
)

PREFIX = "/fhir/"
INSTANT = MOMENT
REFERENCE = fixed({"reference": TEXT})
CONCEPT: Schema = {
    "type": "object",
    "properties": {
        "coding": {"type": "array", "items": fixed({"system": TEXT, "code": TEXT, "display": TEXT})},
        "text": TEXT,
    },
}
IDENTIFIERS: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {"type": CONCEPT, "system": TEXT, "value": TEXT},
        "required": ["system", "value"],
    },
}
_META = fixed({"versionId": TEXT, "lastUpdated": INSTANT})
_OUTCOME = fixed(
    {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": fixed({"severity": TEXT, "code": TEXT, "diagnostics": TEXT}),
        },
    }
)
_ERRORS = {
    "400": "A parameter is missing or malformed.",
    "401": "No valid key.",
    "403": "The key lacks a scope.",
    "404": "Absent, deleted, or another organisation's.",
    "405": "The path has no such method.",
    "429": "The limit is reached. A call after `Retry-After` seconds succeeds.",
    "500": "A fault inside the service.",
}
_EXTRA_HEADERS = EXTRA_HEADERS | {"401": {"WWW-Authenticate": {"schema": TEXT}}}


def open_resource(resource_type: str, always: dict[str, Schema]) -> Schema:
    """A resource that is not anybody's record."""
    return fixed({"resourceType": {"const": resource_type}, **always})


def kept(resource_type: str, always: dict[str, Schema], where_known: dict[str, Schema]) -> Schema:
    """A record: elements that it always has, and those that are absent where nothing is known."""
    schema = open_resource(resource_type, {"id": TEXT, "meta": _META, **always})
    schema["properties"] |= where_known
    return schema


def bundle(name: str) -> Schema:
    """A page of a search, by the name of what is searched."""
    entry = fixed({"fullUrl": TEXT, "resource": component(name), "search": fixed({"mode": {"const": "match"}})})
    link = fixed({"relation": {"type": "string", "enum": ["self", "next"]}, "url": TEXT})
    schema = open_resource(
        "Bundle",
        {
            "type": {"const": "searchset"},
            "total": {"type": "integer", "minimum": 0},
            "link": {"type": "array", "items": link, "minItems": 1},
        },
    )
    schema["properties"]["entry"] = {"type": "array", "items": entry, "minItems": 1}
    return schema


def _error_response(status: str) -> Schema:
    return {
        "description": _ERRORS[status],
        "headers": header_references(LIMIT_HEADERS) | _EXTRA_HEADERS.get(status, {}),
        "content": {MEDIA_TYPE: {"schema": component("FhirOperationOutcome")}},
    }


def describe_family(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: every operation of the family answers as it does."""
    for path, operations in result["paths"].items():
        if not path.startswith(PREFIX):
            continue
        for operation in operations.values():
            operation.setdefault("security", [])
            statuses = {"405", "429", "500"} | ({"401", "403"} if operation["security"] else set())
            named = {(parameter["in"], parameter["name"]) for parameter in operation.get("parameters", ())}
            statuses |= {"404"} if "{" in path else set()
            statuses |= {"400"} if any(place == "query" for place, _ in named) else set()
            for response in operation["responses"].values():
                response["headers"] = header_references(LIMIT_HEADERS)
            if ("header", "If-None-Match") in named:
                operation["responses"]["304"] = {
                    "description": "The caller has it already.",
                    "headers": header_references(LIMIT_HEADERS),
                }
            for status in sorted(statuses):
                operation["responses"][status] = {"$ref": f"#/components/responses/Fhir{status}"}
    components = result["components"]
    components["schemas"]["FhirOperationOutcome"] = _OUTCOME
    components["responses"] |= {f"Fhir{status}": _error_response(status) for status in _ERRORS}
    return result

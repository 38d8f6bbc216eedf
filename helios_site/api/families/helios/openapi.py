"""The Helios family in the API description: error bodies, limit headers, and what every operation can answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter

from helios_site.api.families.schema import (
    EXTRA_HEADERS,
    LIMIT_HEADERS,
    TEXT,
    Schema,
    component,
    fixed,
    header_references,
)

RUN_ID_PARAMETER = OpenApiParameter(
    "model_run_id",
    {"type": "string", "format": "uuid"},
    OpenApiParameter.PATH,
    description="Id of the run, from the reply to its create.",
)


MOMENT: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}$",
}

SCHEMAS: dict[str, Schema] = {
    "Error": fixed({"detail": TEXT}),
    "ValidationError": fixed(
        {
            "loc": {"type": "array", "items": {"anyOf": [TEXT, {"type": "integer"}]}},
            "msg": TEXT,
            "type": TEXT,
        }
    ),
    "HTTPValidationError": fixed({"detail": {"type": "array", "items": component("ValidationError")}}),
}

_ERRORS = {
    "401": ("The key is missing, malformed, unknown, revoked, expired, or used from a wrong address.", "Error"),
    "403": ("The key is valid and lacks the scope.", "Error"),
    "404": ("It is absent, another organisation's, deleted, or erased.", "Error"),
    "405": ("The path has no such method.", "Error"),
    "422": ("Body, query or path fails validation; malformed JSON.", "HTTPValidationError"),
    "429": ("The limit is reached. A call after `Retry-After` seconds succeeds.", "Error"),
    "500": ("A fault inside the service.", "Error"),
}
_EXTRA_HEADERS = EXTRA_HEADERS | {"401": {"WWW-Authenticate": {"schema": {"type": "string", "const": "ApiKey"}}}}


def _error_response(status: str) -> Schema:
    description, schema = _ERRORS[status]
    return {
        "description": description,
        "headers": header_references(LIMIT_HEADERS | _EXTRA_HEADERS.get(status, {})),
        "content": {"application/json": {"schema": component(schema)}},
    }


def describe_family(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: every `/v1/` operation answers as this family does."""
    for path, operations in result["paths"].items():
        if not path.startswith("/v1/"):
            continue
        for operation in operations.values():
            statuses = {"401", "403", "405", "429", "500"}
            if operation.get("parameters") or "requestBody" in operation:
                statuses.add("422")
            if "{" in path:
                statuses.add("404")
            for response in operation["responses"].values():
                response["headers"] = header_references(LIMIT_HEADERS)
            for status in sorted(statuses):
                operation["responses"][status] = {"$ref": f"#/components/responses/Helios{status}"}
    components = result["components"]
    components.setdefault("schemas", {}).update(SCHEMAS)
    components["responses"] = {f"Helios{status}": _error_response(status) for status in _ERRORS}
    headers = LIMIT_HEADERS | {name: form for extra in _EXTRA_HEADERS.values() for name, form in extra.items()}
    components["headers"] = {name: {"required": True, **form} for name, form in headers.items()}
    return result


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "apps.api_keys.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "x-api-key",
            "description": "An API key of your organisation, `hlsk_…`.",
        }

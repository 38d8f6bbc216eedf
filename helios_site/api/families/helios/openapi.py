"""The Helios family in the API description: error bodies, limit headers, and what every operation can answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter

from helios_site.api.families.schema import (
    EXTRA_HEADERS,
    LIMIT_HEADERS,
    REPLAY_HEADER,
    TEXT,
    Schema,
    add_key,
    component,
    fixed,
    header_references,
    takes_key,
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
    "HTTPValidationOrKeyError": {"anyOf": [component("HTTPValidationError"), component("Error")]},
}

_ERRORS = {
    "401": ("The key is missing, malformed, unknown, revoked, expired, or used from a wrong address.", "Error"),
    "403": ("The key is valid and lacks the scope.", "Error"),
    "404": ("It is absent, another organisation's, deleted, or erased.", "Error"),
    "405": ("The path has no such method.", "Error"),
    "409": ("The same call, by its `Idempotency-Key`, is under way, or showed a secret.", "Error"),
    "422": ("Body, query or path fails validation; malformed JSON.", "HTTPValidationError"),
    "422WithKey": (
        "Body, header or path fails validation; malformed JSON; or the `Idempotency-Key` was used for another body.",
        "HTTPValidationOrKeyError",
    ),
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
        for method, operation in operations.items():
            statuses = {"401", "403", "405", "429", "500"}
            if takes_key(method, operation):
                statuses |= {"409", "422WithKey"}
            elif operation.get("parameters") or "requestBody" in operation:
                statuses.add("422")
            if "{" in path:
                statuses.add("404")
            for response in operation["responses"].values():
                response["headers"] = header_references(LIMIT_HEADERS)
            if takes_key(method, operation):
                add_key(operation)
            for status in sorted(statuses):
                operation["responses"][status[:3]] = {"$ref": f"#/components/responses/Helios{status}"}
    components = result["components"]
    components.setdefault("schemas", {}).update(SCHEMAS)
    components["responses"] = {f"Helios{status}": _error_response(status) for status in _ERRORS}
    headers = LIMIT_HEADERS | {name: form for extra in _EXTRA_HEADERS.values() for name, form in extra.items()}
    headers |= REPLAY_HEADER
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

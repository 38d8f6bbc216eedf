"""FHIR's error bodies: an OperationOutcome with one issue."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

MEDIA_TYPE = "application/fhir+json"
NO_KEY = "Send your API key in the header x-api-key."
_NO_PERMISSION = "Your API key lacks the scope. The CapabilityStatement at /fhir/metadata names it."

# Status -> code of the issue, and what to do.
_ISSUES = {
    400: ("invalid", "The request could not be read."),
    401: ("login", "Invalid or expired API key."),
    403: ("forbidden", _NO_PERMISSION),
    404: ("not-found", "Not found. The CapabilityStatement at /fhir/metadata lists what there is."),
    405: ("not-supported", "This is read-only: use GET or HEAD."),
    429: ("throttled", "Rate limit exceeded. Call again after as many seconds as Retry-After says."),
    500: ("exception", "Something went wrong on our side. Try again, and tell us the X-Request-ID if it stays."),
}


class Invalid(exceptions.APIException):
    """400; the text names the parameter."""

    status_code = 400


def outcome(status: int, text: str | None = None) -> dict[str, Any]:
    """The body of an error."""
    code, usual = _ISSUES[status]
    severity = "fatal" if status == 500 else "error"
    issue = {"severity": severity, "code": code, "diagnostics": usual if text is None else text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def error_response(status: int) -> HttpResponse:
    """For paths where no view of ours runs: Django's own 400, 404 and 500."""
    compact = {"separators": (",", ":")}
    return JsonResponse(outcome(status), status=status, content_type=MEDIA_TYPE, json_dumps_params=compact)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The response for an exception of a view; None for a bug, which becomes Django's 500."""
    match exc:
        case Invalid():
            return Response(outcome(400, str(exc.detail)), status=400)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            scheme = getattr(exc, "auth_header", None) or "ApiKey"
            text = NO_KEY if isinstance(exc, exceptions.NotAuthenticated) else None
            return Response(outcome(401, text), status=401, headers={"WWW-Authenticate": scheme})
        case exceptions.PermissionDenied():
            own = str(exc.detail) != exceptions.PermissionDenied.default_detail
            return Response(outcome(403, str(exc.detail) if own else None), status=403)
        case exceptions.NotFound():
            own = str(exc.detail) != exceptions.NotFound.default_detail
            return Response(outcome(404, str(exc.detail) if own else None), status=404)
        case Http404():
            return Response(outcome(404), status=404)
        case exceptions.MethodNotAllowed():
            allow = ", ".join(context["view"].allowed_methods)
            return Response(outcome(405), status=405, headers={"Allow": allow})
        case exceptions.Throttled():
            return Response(outcome(429), status=429)  # the middleware adds `Retry-After`
        case _:
            return None

"""Healos' error bodies: `{"error": "<text>"}`; a failed validation adds `details`, Zod 3's messages by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from helios_site.api.families.idempotency import Refused
from helios_site.api.full_disk import is_full_disk
from helios_site.storage import StorageFull

log = structlog.get_logger(__name__)

VALIDATION_ERROR = "Validation error"
Details = dict[str, list[str]]


class BadRequest(exceptions.APIException):
    """400 with one plain text."""

    status_code = 400


class Invalid(exceptions.APIException):
    """400 with the messages of each field."""

    status_code = 400

    def __init__(self, details: Details) -> None:
        super().__init__(VALIDATION_ERROR)
        self.details = details


class Conflict(exceptions.APIException):
    """409: what was asked for does not fit the present state of the object, or of the one in `data`."""

    status_code = 409

    def __init__(self, text: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.data = data


class VersionConflict(exceptions.APIException):
    """412: the object is no longer the one that `If-Match` names."""

    status_code = 412


def invalid(error: ModelError) -> Invalid | BadRequest:
    """A service's refusal: by field, or in one sentence where it concerns no field."""
    if not hasattr(error, "error_dict"):
        return BadRequest(" ".join(error.messages))
    details = dict(error.message_dict)
    whole = details.pop(NON_FIELD_ERRORS, [])
    return Invalid(details) if details else BadRequest(" ".join(whole))


def details_of(detail: Any) -> Details:
    """A serializer's errors by top-level field, however deep they were found."""
    return {str(name): list(_texts(inner)) for name, inner in detail.items()}


def _texts(detail: Any) -> Iterator[str]:
    if isinstance(detail, Mapping):
        for inner in detail.values():
            yield from _texts(inner)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _texts(inner)
    else:
        yield str(detail)


def body_of(status: int | str) -> dict[str, str]:
    return {"error": settings.HEALOS_ERROR_TEXTS[status]}


def conflict_body(text: str, existing: dict[str, Any] | None) -> dict[str, Any]:
    """Of a 409: with the whole existing record where one is in the way."""
    return {"error": text} if existing is None else {"error": text, "data": existing}


def error_response(status: int) -> JsonResponse:
    """For paths where no view of ours runs: Django's own 400, 404 and 500."""
    return JsonResponse(body_of(status), status=status, json_dumps_params={"separators": (",", ":")})


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The response for an exception of a view; None for a bug, which becomes Django's 500."""
    match exc:
        case Invalid():
            return Response({"error": VALIDATION_ERROR, "details": exc.details}, status=400)
        case exceptions.ValidationError():
            return Response({"error": VALIDATION_ERROR, "details": details_of(exc.detail)}, status=400)
        case ModelError():
            return exception_handler(invalid(exc), context)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            scheme = getattr(exc, "auth_header", None) or "ApiKey"
            missing = isinstance(exc, exceptions.NotAuthenticated)
            text = context["view"].missing_credentials if missing else settings.HEALOS_ERROR_TEXTS[401]
            return Response({"error": text}, status=401, headers={"WWW-Authenticate": scheme})
        case exceptions.PermissionDenied():
            own = str(exc.detail) != exceptions.PermissionDenied.default_detail
            return Response({"error": str(exc.detail)} if own else body_of(403), status=403)
        case Http404():
            return Response(body_of(404), status=404)
        case exceptions.NotFound():
            own = str(exc.detail) != exceptions.NotFound.default_detail
            return Response({"error": str(exc.detail)} if own else body_of(404), status=404)
        case exceptions.MethodNotAllowed():
            allow = ", ".join(context["view"].allowed_methods)
            return Response(body_of(405), status=405, headers={"Allow": allow})
        case Refused():
            return Response({"error": str(exc.detail)}, status=exc.status_code, headers=exc.headers)
        case exceptions.Throttled():
            return Response(body_of(429), status=429)  # the middleware adds `Retry-After`
        case VersionConflict():
            return Response(body_of(412), status=412)
        case Conflict():
            return Response(conflict_body(str(exc.detail), exc.data), status=409)
        case BadRequest():
            return Response({"error": str(exc.detail)}, status=exc.status_code)
        case _ if isinstance(exc, StorageFull) or is_full_disk(exc):
            log.error("storage_full")
            return Response(body_of(507), status=507)
        case _:
            return None

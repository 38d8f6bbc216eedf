"""FastAPI's error bodies: `{"detail": "<text>"}`, and for 422 a list of `{loc, msg, type}` with Pydantic 1's types.

No entry ever repeats what was sent: it may be health data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict

import structlog
from django.conf import settings
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from helios_site.api.families.idempotency import Refused
from helios_site.api.full_disk import is_full_disk

log = structlog.get_logger(__name__)

Location = tuple[str | int, ...]


class Entry(TypedDict):
    loc: list[str | int]
    msg: str
    type: str


MESSAGES = {
    "type_error.bool": "value could not be parsed to a boolean",
    "type_error.dict": "value is not a valid dict",
    "type_error.enum": "value is not a valid enumeration member; permitted: {permitted}",
    "type_error.integer": "value is not a valid integer",
    "type_error.list": "value is not a valid list",
    "type_error.none.not_allowed": "none is not an allowed value",
    "type_error.str": "str type expected",
    "type_error.uuid": "value is not a valid uuid",
    "value_error.any_str.max_length": "ensure this value has at most {limit_value} characters",
    "value_error.any_str.min_length": "ensure this value has at least {limit_value} characters",
    "value_error.date": "invalid date format",
    "value_error.datetime": "invalid datetime format",
    "value_error.list.max_items": "ensure this value has at most {limit_value} items",
    "value_error.missing": "field required",
    "value_error.number.not_ge": "ensure this value is greater than or equal to {limit_value}",
}
# Codes that DRF's own base classes raise.
_FROM_DRF = {"required": "value_error.missing", "null": "type_error.none.not_allowed"}


def permitted(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def text(kind: str, **values: object) -> str:
    return MESSAGES[kind].format(**values)


class Invalid(exceptions.APIException):
    """422. `kind` is one of Pydantic's types, or `value_error` for a rule of ours with its own `message`."""

    status_code = 422

    def __init__(self, loc: Location, kind: str, message: str | None = None, **values: object) -> None:
        message = message or text(kind, **values)
        super().__init__(message, kind)
        self.entries: list[Entry] = [{"loc": list(loc), "msg": message, "type": kind}]

    @classmethod
    def of(cls, found: list[Entry]) -> Invalid:
        """Several entries in one answer."""
        first = found[0]
        error = cls(tuple(first["loc"]), first["type"], first["msg"])
        error.entries = found
        return error


class RunNotFound(exceptions.NotFound):
    """Absent, foreign, deleted and erased runs answer alike."""


class UserNotFound(exceptions.NotFound):
    """No run that the caller may see has the label."""


def entries(detail: Any, loc: Location) -> Iterator[Entry]:
    """The entries of a DRF serializer's nested errors, in the order of its fields."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            yield from entries(inner, loc if key == "non_field_errors" else (*loc, key))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            # A list holds either the errors of one value, or, as mappings, those of its items.
            yield from entries(inner, (*loc, index) if isinstance(inner, (Mapping, list)) else loc)
    else:
        kind = _FROM_DRF.get(detail.code, detail.code)
        message = MESSAGES[kind] if detail.code in _FROM_DRF else str(detail)
        yield {"loc": list(loc), "msg": message, "type": kind}


def body_of(status: int, key: int | str | None = None) -> dict[str, str]:
    return {"detail": settings.HELIOS_ERROR_TEXTS[key or status]}


def error_response(status: int) -> JsonResponse:
    """For paths where no view of ours runs: Django's own 400, 404 and 500. A bad request of any kind is 422."""
    if status == 400:
        entry = Entry(loc=["request"], msg="the request is malformed", type="value_error")
        return _json({"detail": [entry]}, 422)
    return _json(body_of(status), status)


def _json(body: dict[str, Any], status: int) -> JsonResponse:
    """Compact, as the views' renderer writes it: a missing path and a missing run answer in one form."""
    return JsonResponse(body, status=status, json_dumps_params={"separators": (",", ":")})


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The response for an exception of a view; None for a bug, which becomes Django's 500."""
    match exc:
        case Invalid():
            return Response({"detail": exc.entries}, status=422)
        case exceptions.ValidationError():
            return Response({"detail": list(entries(exc.detail, ("body",)))}, status=422)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            # DRF turns the status into 403 when no authentication class names a scheme.
            return Response(body_of(401), status=401, headers={"WWW-Authenticate": "ApiKey"})
        case exceptions.PermissionDenied():
            return Response(body_of(403), status=settings.HELIOS_MISSING_SCOPE_STATUS)
        case RunNotFound():
            return Response(body_of(404, "run_not_found"), status=404)
        case UserNotFound():
            return Response(body_of(404, "user_not_found"), status=404)
        case exceptions.NotFound() | Http404():
            return Response(body_of(404), status=404)
        case exceptions.MethodNotAllowed():
            allow = ", ".join(context["view"].allowed_methods)
            return Response(body_of(405), status=405, headers={"Allow": allow})
        case Refused():
            return Response({"detail": str(exc.detail)}, status=exc.status_code, headers=exc.headers)
        case exceptions.Throttled():
            return Response(body_of(429), status=429)  # the middleware adds `Retry-After`
        case _ if is_full_disk(exc):
            log.error("database_disk_full")
            return Response(body_of(507), status=507)
        case _:
            return None

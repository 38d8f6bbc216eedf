"""Reading a JSON object from a request as FastAPI does, with bounds: every malformed body is a 422."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from helios_site.api.families import strict_json
from helios_site.api.families.helios.errors import Invalid

BODY = ("body",)


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The object in the request's body. Raises Invalid; a body above the limit is refused without reading it."""
    length = strict_json.announced_length(request)
    if length == 0:
        raise Invalid(BODY, "value_error.missing")
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if length > limit:
        raise Invalid(BODY, "value_error", f"the body has more than {limit} bytes")
    if not _is_json(request):
        raise Invalid(BODY, "type_error.dict")
    try:
        value = parse(request.body)
    except UnreadablePostError:
        raise _unparsable(0, "the body ended early") from None
    if value is None:
        raise Invalid(BODY, "type_error.none.not_allowed")
    if not isinstance(value, dict):
        raise Invalid(BODY, "type_error.dict")
    return value


def parse(raw: bytes) -> Any:
    """Strict JSON. Raises Invalid with the position of the fault."""
    try:
        return strict_json.parse(raw)
    except strict_json.Unparsable as error:
        raise _unparsable(error.position, error.message) from None


def _is_json(request: HttpRequest) -> bool:
    """No type at all counts as JSON, so do `application/json` and `application/<anything>+json`."""
    essence = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    main, _, sub = essence.partition("/")
    return not essence or (main == "application" and (sub == "json" or sub.endswith("+json")))


def _unparsable(position: int, message: str) -> Invalid:
    return Invalid(("body", position), "value_error.jsondecode", message)

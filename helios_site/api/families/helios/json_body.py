"""Reading a JSON object from a request as FastAPI does, with bounds: every malformed body is a 422."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from helios_site.api.families.helios.errors import Invalid

BODY = ("body",)


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The object in the request's body. Raises Invalid; a body above the limit is refused without reading it."""
    length = _announced_length(request)
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
    """Strict JSON (RFC 8259) in any Unicode encoding. Raises Invalid with the position of the fault."""
    try:
        text = raw.decode(json.detect_encoding(raw))
    except UnicodeDecodeError as error:
        raise _unparsable(error.start, "the body is not valid Unicode") from None
    try:
        return json.loads(text, parse_constant=_not_json, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise _unparsable(error.pos, f"{error.msg}: line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise _unparsable(0, "the body is nested too deeply") from None
    except ValueError:  # an integer of thousands of digits, a number out of range, NaN
        raise _unparsable(0, "a number in the body is out of range") from None


def _announced_length(request: HttpRequest) -> int:
    """Zero without a length: the gateway gives a body of unknown length to nobody."""
    try:
        return max(0, int(request.META.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0


def _is_json(request: HttpRequest) -> bool:
    """No type at all counts as JSON, so do `application/json` and `application/<anything>+json`."""
    essence = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    main, _, sub = essence.partition("/")
    return not essence or (main == "application" and (sub == "json" or sub.endswith("+json")))


def _unparsable(position: int, message: str) -> Invalid:
    return Invalid(("body", position), "value_error.jsondecode", message)


def _not_json(_constant: str) -> NoReturn:
    raise ValueError


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number

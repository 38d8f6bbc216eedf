"""Reading a JSON object from a request: every malformed body is a 400."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from helios_site.api.families import strict_json
from helios_site.api.families.healos.errors import BadRequest, Invalid

UNPARSABLE = "Invalid JSON body"
WRONG_TYPE = "Content-Type must be application/json"


def read_object(request: HttpRequest, *, may_be_empty: bool = False) -> dict[str, Any]:
    """The object in the request's body; `{}` for no body at all where that is allowed. Raises BadRequest, and
    Invalid for JSON that is no object. A body above the limit is refused without reading it."""
    length = strict_json.announced_length(request)
    if length == 0:
        if may_be_empty:
            return {}
        raise BadRequest(UNPARSABLE)
    if request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        raise BadRequest(WRONG_TYPE)
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if length > limit:
        raise BadRequest(f"The body has more than {limit} bytes")
    try:
        value = strict_json.parse(request.body)
        json.dumps(value, ensure_ascii=False).encode()  # an error message may quote a part of it
    except (strict_json.Unparsable, UnreadablePostError, UnicodeEncodeError):
        raise BadRequest(UNPARSABLE) from None
    if not isinstance(value, dict):
        raise Invalid({})
    return value

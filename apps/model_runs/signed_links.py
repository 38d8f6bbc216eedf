"""Links that are good for one run, one purpose and a limited time: whoever has one needs no key."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings

# Method and slot: a signature for one is good for nothing else. Later models take more than one recording a run.
Purpose = tuple[str, str]
UPLOAD: Purpose = ("PUT", "recording")
ACTIVITY: Purpose = ("GET", "activity")


class Link(NamedTuple):
    """What a genuine link says."""

    run_id: UUID
    expires: int  # seconds since 1970


def signed_query(purpose: Purpose, run_id: UUID, expires: int) -> str:
    return urlencode({"expires": expires, "signature": _signature(purpose, run_id, expires)})


def genuine_link(purpose: Purpose, run_id: str, query: Mapping[str, str]) -> Link | None:
    """What the link says, be it expired or not; None for an altered one."""
    expires, signature = query.get("expires", ""), query.get("signature", "")
    try:
        identifier = UUID(run_id)
    except ValueError:
        return None
    if str(identifier) != run_id or not re.fullmatch(r"[0-9]{1,12}", expires):
        return None
    expected = _signature(purpose, identifier, int(expires))
    is_genuine = hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))
    return Link(identifier, int(expires)) if is_genuine else None


def _signature(purpose: Purpose, run_id: UUID, expires: int) -> str:
    method, slot = purpose
    message = f"{method}\n{run_id}\n{slot}\n{expires}".encode()
    return hmac.new(settings.HELIOS_UPLOAD_SIGNING_KEY.encode(), message, hashlib.sha256).hexdigest()

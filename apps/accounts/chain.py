"""What a seal hashes, so that anybody can compute it again from an export.

The hash is the SHA-256 of one line of JSON in UTF-8: the columns of the event (`EVENT_FIELDS`), the `sequence` and the
`previous_hash` of its seal; keys sorted, no spaces, no escapes but those that JSON demands; times in UTC with six
decimals, hashes in lower-case hexadecimals, absent values `null`. The first seal of a chain follows `START`.

A column that the trail gets one day must be left out of the line where it is null, or old seals would break.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

EVENT_FIELDS = (
    "id",
    "at",
    "organization_id",
    "actor_type",
    "actor_id",
    "action",
    "object_type",
    "object_id",
    "outcome",
    "reason",
    "address",
    "method",
    "path",
    "request_id",
)
START = bytes(32)
_FORM = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False
)  # made once: it costs as much as a use


def plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event's columns as JSON values."""
    values = {name: event[name] for name in EVENT_FIELDS}
    values["at"] = event["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    values["organization_id"] = None if event["organization_id"] is None else str(event["organization_id"])
    values["address"] = None if event["address"] is None else str(event["address"])
    return values


def line(values: Mapping[str, Any]) -> str:
    """JSON in the one form that is hashed and exported."""
    return _FORM.encode(values)


def seal_hash(event: Mapping[str, Any], *, sequence: int, previous_hash: bytes) -> bytes:
    """The 32 bytes of the seal of `event`, a mapping of its columns as the database gives them."""
    sealed = plain(event) | {"sequence": sequence, "previous_hash": previous_hash.hex()}
    return hashlib.sha256(line(sealed).encode()).digest()

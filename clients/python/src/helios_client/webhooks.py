"""Whether a call to a webhook of yours comes from Helios: signatures of the Standard Webhooks form."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helios_client.errors import WebhookInvalid

TOLERANCE_SECONDS = 300.0
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """`id` is the same each time that an event is sent again. `data` names the object; a run is read by
    `data["id"]`."""

    id: str
    type: str
    timestamp: str
    data: Mapping[str, Any] = field(repr=False)


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> WebhookEvent:
    """The event in a call to your webhook; WebhookInvalid unless one of the `secret`s signed it at most `tolerance`
    seconds ago (or ahead).

    `body` is what arrived, byte for byte: JSON that was read and written again has another signature. `headers` may
    be in any case. Give both secrets while one replaces the other. `now` is in Unix seconds. ValueError for a secret
    that is none.
    """
    keys = [_key(text) for text in ([secret] if isinstance(secret, str) else secret)]
    lowered = {name.lower(): value for name, value in headers.items()}
    try:
        webhook_id, timestamp, signatures = (lowered[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise WebhookInvalid(f"the header {missing} is missing") from None
    if re.fullmatch(r"[0-9]{1,12}", timestamp) is None:
        raise WebhookInvalid("webhook-timestamp is no number of seconds")
    if not _is_signed(f"{webhook_id}.{timestamp}.".encode(errors="replace") + body, keys, signatures.split(" ")):
        raise WebhookInvalid("no signature is one of this secret")
    if abs((time.time() if now is None else now) - int(timestamp)) > tolerance:
        raise WebhookInvalid("the call is too old, or the clocks of the two machines differ")
    return _event(webhook_id, body)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError(f"a webhook's secret is {_PREFIX} and base64, as its create reply showed it")
    return key


def _is_signed(content: bytes, keys: Iterable[bytes], signatures: Iterable[str]) -> bool:
    """Every signature is compared with every key in constant time, so that the time tells nothing of either."""
    expected = [b"v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)) for key in keys]
    found = False
    for signature in signatures:
        for one in expected:
            found |= hmac.compare_digest(one, signature.encode(errors="replace"))
    return found


def _event(webhook_id: str, body: bytes) -> WebhookEvent:
    try:
        read = json.loads(body)
        event = WebhookEvent(webhook_id, read["type"], read["timestamp"], read["data"])
    except (ValueError, KeyError, TypeError):
        event = None
    if event is None:
        raise WebhookInvalid("the signed body is no event")
    return event

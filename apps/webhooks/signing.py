"""Signatures of the Standard Webhooks form, and the secrets that make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - says what the text is
PURPOSE = "webhook secret"  # under which the secrets are encrypted
_KEY_BYTES = 32


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def signed_headers(webhook_id: str, timestamp: int, body: bytes, signers: Sequence[str]) -> dict[str, str]:
    """The three headers of one try; `timestamp` in Unix seconds. Each secret adds a signature, in their order."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(webhook_id, timestamp, body, secret) for secret in signers),
    }


def _signature(webhook_id: str, timestamp: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.digest(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"

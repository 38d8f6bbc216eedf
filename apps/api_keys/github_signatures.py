"""Whether a secret-scanning message was signed by GitHub: ECDSA on P-256 with SHA-256 over the raw body.

The public keys are those of `LEAK_GITHUB_KEYS_FILE`, or what `LEAK_GITHUB_KEYS_URL` answers:
`{"public_keys": [{"key_identifier": …, "key": <PEM>, "is_current": …}]}`.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import structlog
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

log = structlog.get_logger(__name__)

FETCH_EVERY_SECONDS = 60  # an unknown identifier makes us look again, but no more often than that
TIMEOUT_SECONDS = 5
MAX_ANSWER_BYTES = 1_048_576

Keys = Mapping[str, ec.EllipticCurvePublicKey]


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class PublicKeys:
    """GitHub's public keys by identifier, remembered by this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: Keys = {}
        self._asked_at: float | None = None

    def named(self, identifier: str) -> ec.EllipticCurvePublicKey | None:
        """The key of that name, looked up again if it is not known; None if there is none, or nobody answers."""
        if identifier not in self._known:
            with self._lock:  # who waits here finds what the first one fetched
                now = time.monotonic()
                if identifier not in self._known and (
                    self._asked_at is None or now - self._asked_at >= FETCH_EVERY_SECONDS
                ):
                    self._asked_at = now
                    self._known = _fetch() or self._known
        return self._known.get(identifier)


public_keys = PublicKeys()


def is_genuine(raw: bytes, *, identifier: str, signature: str) -> bool:
    """Whether `signature` (base64 of DER) is that of the key `identifier` over exactly `raw`."""
    if not identifier or not signature:
        return False
    try:
        der = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    key = public_keys.named(identifier)
    if key is None:
        return False
    try:
        key.verify(der, raw, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def parse_keys(text: str) -> Keys:
    """The P-256 keys of GitHub's answer. Raises ValueError for anything else."""
    answer = json.loads(text)
    listed = answer.get("public_keys") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it has no list public_keys")
    found: dict[str, ec.EllipticCurvePublicKey] = {}
    for entry in listed:
        key = serialization.load_pem_public_key(str(entry["key"]).encode())
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("a key is not of P-256")
        found[str(entry["key_identifier"])] = key
    return found


def _fetch() -> Keys | None:
    """The keys as they are now; None, with a line in the log, when they cannot be had."""
    try:
        return parse_keys(_file() if settings.LEAK_GITHUB_KEYS_FILE else _answer())
    except (OSError, URLError, ValueError, KeyError, TypeError, UnsupportedAlgorithm) as error:
        log.error("github_keys_not_read", error=type(error).__name__)
        return None


def _file() -> str:
    return Path(settings.LEAK_GITHUB_KEYS_FILE).read_text()


def _answer() -> str:
    request = Request(settings.LEAK_GITHUB_KEYS_URL, headers={"Accept": "application/json", "User-Agent": "Helios"})  # noqa: S310
    with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_SECONDS) as response:
        raw: bytes = response.read(MAX_ANSWER_BYTES)
    return raw.decode()

"""Encryption of what the service itself must read again; what it only has to compare is stored as a digest instead."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """No key in `HELIOS_ENCRYPTION_KEYS` made this text for this purpose, or it was altered."""


def encrypt(text: str, *, purpose: str) -> bytes:
    """`text` under the newest key. Only `decrypt` with the same `purpose` can read it."""
    return _box(purpose).encrypt(text.encode())


def decrypt(token: bytes, *, purpose: str) -> str:
    """What `encrypt` was given. Raises CannotDecrypt."""
    try:
        return _box(purpose).decrypt(token).decode()
    except InvalidToken:
        raise CannotDecrypt from None


def is_under_newest(token: bytes, *, purpose: str) -> bool:
    """Whether the newest key made `token`, so that it outlives the withdrawal of the older ones.
    Raises CannotDecrypt."""
    decrypt(token, purpose=purpose)
    try:
        _boxes(purpose)[0].decrypt(token)
    except InvalidToken:
        return False
    return True


def _box(purpose: str) -> MultiFernet:
    return MultiFernet(_boxes(purpose))


def _boxes(purpose: str) -> list[Fernet]:
    """One for each key, newest first."""
    keys = (
        hmac.digest(key.encode(), f"helios {purpose}".encode(), hashlib.sha256)
        for key in settings.HELIOS_ENCRYPTION_KEYS
    )
    return [Fernet(base64.urlsafe_b64encode(key)) for key in keys]

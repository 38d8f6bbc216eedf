"""The link by which an organisation's admin takes a new key in place of a revoked one.

Its token is made while the mail is written and lives in that mail alone: neither the broker nor the database has it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from apps.api_keys.models import KeyReplacement

VALID_FOR = timedelta(hours=24)


def renew(replacement: KeyReplacement) -> str:
    """The whole link with a new token, valid for `VALID_FOR` from now; one that was mailed before ends."""
    token = secrets.token_urlsafe(32)
    replacement.token_digest = _digest(token)
    replacement.expires_at = timezone.now() + VALID_FOR
    replacement.save(update_fields=["token_digest", "expires_at"])
    return settings.HELIOS_PUBLIC_BASE_URL + reverse("key-replacement", args=[token])


def find(token: str) -> KeyReplacement | None:
    """What a link's token stands for, whatever its state."""
    found = KeyReplacement.objects.select_related("key__organization", "used_by", "new_key")
    return found.filter(token_digest=_digest(token)).first()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()

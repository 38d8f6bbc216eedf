"""Signed links to the bytes of documents. Whoever has one needs no key; it is made anew for each reply."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings

from helios_site.api.families.healos.fields import parse_uuid


def public_url(document_id: UUID) -> str:
    """Absolute, and built from the public base URL, never from `Host`."""
    return f"{settings.HELIOS_PUBLIC_BASE_URL}{signed_path(document_id)}"


def signed_path(document_id: UUID) -> str:
    """The same without the address of the installation, for who is on a page of it."""
    expires = int(time.time()) + settings.HEALOS_DOCUMENT_URL_TTL_SECONDS
    query = urlencode({"expires": expires, "signature": _signature(document_id, expires)})
    return f"/documents/{document_id}?{query}"


def document_of(document_id: str, query: Mapping[str, str]) -> UUID | None:
    """The document that the link is good for at this moment; None for an altered or expired link."""
    identifier, expires = parse_uuid(document_id), query.get("expires", "")
    if identifier is None or re.fullmatch(r"[0-9]{1,12}", expires) is None:
        return None
    genuine = hmac.compare_digest(
        _signature(identifier, int(expires)).encode(), query.get("signature", "").encode(errors="replace")
    )
    return identifier if genuine and time.time() < int(expires) else None


def _signature(document_id: UUID, expires: int) -> str:
    # The first line keeps a signature from being good for anything else that the same key signs.
    message = f"GET document\n{document_id}\n{expires}".encode()
    return hmac.new(settings.HELIOS_UPLOAD_SIGNING_KEY.encode(), message, hashlib.sha256).hexdigest()

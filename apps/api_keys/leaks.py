"""Keys that got into wrong hands: looked up by digest, revoked at once.

Raw keys live in the memory of the request alone; they are neither stored, nor logged, nor sent to a task.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable

from apps.accounts import audit
from apps.api_keys import services, tokens
from apps.api_keys.models import ApiKey
from helios_site.logs import redact

REPORTED = "leak_report"
BY_GITHUB = "github_secret_scanning"

_KEYS_IN_A_QUERY = 500


def known_keys(raw_keys: Iterable[str]) -> dict[str, ApiKey]:
    """Those of `raw_keys` that are ours, live or not. One query for 500 of them; what has not the form of a key
    costs none. Unknown, live, revoked and expired keys cost the same."""
    digests = {
        digest: raw_key for raw_key in raw_keys if tokens.is_well_formed(raw_key) for digest in tokens.digests(raw_key)
    }
    found: dict[str, ApiKey] = {}
    wanted = list(digests)
    for start in range(0, len(wanted), _KEYS_IN_A_QUERY):
        rows = ApiKey.objects.select_related("organization").filter(digest__in=wanted[start : start + _KEYS_IN_A_QUERY])
        found |= {digests[bytes(key.digest)]: key for key in rows}
    return found


def token_hash(raw: str) -> str:
    """How a reply names a token without repeating it: SHA-256 in hexadecimal."""
    return hashlib.sha256(raw.encode(errors="surrogatepass")).hexdigest()


def is_live(key: ApiKey) -> bool:
    return key.status() in ("active", "grace")


def revoke_leaked(key: ApiKey, *, reason: str, found_at: str = "") -> bool:
    """Revoke a key that somebody else holds, and mail the admins of its organisation; whether this call did it.

    A key that is revoked or expired already stays as it is.
    """
    if not is_live(key):
        return False
    _, is_new = services.revoke_key(actor=audit.SYSTEM, key_id=key.id, reason=reason, found_at=redact(found_at))
    return is_new


def record_search(*, actor: audit.Actor, keys: int, known: int) -> None:
    """Note in the installation's audit trail that staff looked for keys in a text, whether they found any or not."""
    audit.record(
        "api_key.searched",
        actor=actor,
        organization_id=None,
        object_type="api_key",
        reason=f"keys in a text that staff pasted: {keys}, ours among them: {known}",
    )


def record_sighting(key_id: uuid.UUID, organization_id: uuid.UUID, *, reason: str, actor: audit.Actor) -> None:
    """Note in the audit trail that a key of ours was seen where it must not be."""
    audit.record(
        "api_key.leak_seen",
        actor=actor,
        organization_id=organization_id,
        object_type="api_key",
        object_id=key_id,
        reason=reason,
    )

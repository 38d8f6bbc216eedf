"""Why a key was refused, told to the audit trail and to nobody else: callers always get the same answer."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import redis
from django.http import HttpRequest

from apps.accounts import audit
from apps.api_keys.selectors import KeyRecord
from helios_site.api.after_response import after_response
from helios_site.api.client_address import is_in_networks
from helios_site.api.local_ratelimit import LocalLimiter
from helios_site.api.redis_calls import store
from helios_site.env import Rate

REPORT_EVERY = Rate(1, 60)

_local = LocalLimiter()


def refusal(key: KeyRecord, now: datetime, address: str | None) -> str | None:
    """The first reason, in the contract's order, why `key` must not be used; None if it may be.

    Ends count from their exact instant: a key that expires at 12:00:00 is refused at 12:00:00.
    """
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and now >= key.expires_at:
        return "expired"
    if key.grace_ends_at is not None and now >= key.grace_ends_at:
        return "superseded"
    if not key.organization_is_active:
        return "organisation switched off"
    if key.allowed_cidrs and not is_in_networks(address, tuple(key.allowed_cidrs)):
        return "wrong address"
    return None


def report(request: HttpRequest, key: KeyRecord, reason: str) -> None:
    """Note in the audit trail that `key` was refused: at most one row a minute for each key and reason.

    Done after the response, so that a refused key costs the caller the same work as an unknown one.
    """
    after_response(request, partial(record, key, reason))


def record(key: KeyRecord, reason: str) -> None:
    """The same at once, for a reply that is already under way."""
    if _is_due(f"{key.id}:{reason}"):
        audit.record(
            "api_key.refused",
            actor=key.actor,
            organization_id=key.organization_id,
            object_type="api_key",
            object_id=key.id,
            outcome="refused",
            reason=reason,
        )


def _is_due(subject: str) -> bool:
    """Whether this subject was not reported in the last minute, by any process (by this one if Redis is away)."""
    try:
        return store().call("SET", f"helios:refused:{subject}", 1, "NX", "EX", REPORT_EVERY.seconds) is not None
    except redis.RedisError:
        return _local.charge(subject, REPORT_EVERY) == 0.0

"""Keys in the JSON of `/api/v1/ext-api-keys`: what comes in, and what goes out, which never holds a secret."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from apps.api_keys import services, validation
from apps.api_keys.models import ApiKey
from apps.api_keys.scopes import API_KEY_SCOPES, in_order
from apps.api_keys.selectors import KeyRecord
from helios_site.api.families.healos.fields import Instant, Members, StrictSerializer, Text, Texts, Whole, timestamp
from helios_site.env import Rate

DEFAULT_GRACE_SECONDS = 86_400


class KeyChangeSerializer(StrictSerializer):
    """What of a key may be changed."""

    name = Text(min_length=1, max_length=validation.MAX_NAME_CHARS)
    scopes = Members(choices=list(API_KEY_SCOPES))
    allowed_cidrs = Texts(
        max_items=validation.MAX_NETWORKS,
        required=False,
        help_text="Networks such as 203.0.113.0/24; empty: any address.",
    )
    rate_limit_per_minute = Whole(
        low=1,
        high=validation.MAX_CALLS_PER_MINUTE,
        required=False,
        allow_null=True,
        help_text="No more than the plan allows; empty: what the plan allows.",
    )


class KeyCreateSerializer(KeyChangeSerializer):
    """A new key: organisation and maker are the session's, never the body's."""

    expires_at = Instant(
        required=False, allow_null=True, help_text="In the future, such as 2030-01-01T00:00:00Z; empty: never."
    )


class KeyRotationSerializer(StrictSerializer):
    grace_period_seconds = Whole(
        low=0,
        high=services.MAX_GRACE_SECONDS,
        default=DEFAULT_GRACE_SECONDS,
        help_text="How long the old key stays valid, but never past its own expiry.",
    )


class LeakReportSerializer(StrictSerializer):
    key = Text(min_length=1, max_length=1000, help_text="The whole leaked key.")


def own_key_body(key: KeyRecord, rate: Rate) -> dict[str, Any]:
    """A key as it sees itself; `rate` is the limit that it is held to, its own or another."""
    return {
        "id": str(key.id),
        "name": key.name,
        "key_prefix": key.key_prefix,
        "scopes": key.scopes,
        "expires_at": timestamp(key.expires_at),
        "grace_ends_at": timestamp(key.grace_ends_at),
        "status": "active" if key.grace_ends_at is None else "grace",  # in any other state it could not ask
        "allowed_cidrs": key.allowed_cidrs,
        "rate_limit_per_minute": key.rate_limit_per_minute,
        "rate_limit": _rate_body(rate),
    }


def session_body(name: str, scopes: Iterable[str], expires_at: datetime, rate: Rate) -> dict[str, Any]:
    """What stands in for a key while somebody is signed in, in the same form."""
    return {
        "id": None,
        "name": name,
        "key_prefix": None,
        "scopes": in_order(scopes),
        "expires_at": timestamp(expires_at),
        "grace_ends_at": None,
        "status": "active",
        "allowed_cidrs": [],
        "rate_limit_per_minute": None,
        "rate_limit": _rate_body(rate),
    }


def _rate_body(rate: Rate) -> dict[str, int]:
    return {"limit": rate.limit, "window_seconds": rate.seconds}


def key_body(key: ApiKey, raw_key: str | None = None) -> dict[str, Any]:
    """One key; with `raw_key` only in the reply that issues it."""
    return {
        "id": str(key.id),
        "name": key.name,
        **({} if raw_key is None else {"key": raw_key}),
        "key_prefix": key.key_prefix,
        "scopes": key.scopes,
        "expires_at": timestamp(key.expires_at),
        "revoked_at": timestamp(key.revoked_at),
        "last_used_at": timestamp(key.last_used_at),
        "allowed_cidrs": key.allowed_cidrs,
        "rate_limit_per_minute": key.rate_limit_per_minute,
        "status": key.status(),
        "created_at": timestamp(key.created_at),
        "grace_ends_at": timestamp(key.grace_ends_at),
        "superseded_by": None if key.superseded_by_id is None else str(key.superseded_by_id),
    }

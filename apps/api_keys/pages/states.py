"""What has become of a key, in words, and the same as filters of the list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q

from apps.api_keys.models import ApiKey
from apps.api_keys.selectors import live

SOON = timedelta(days=7)  # when the admins are mailed of it for the first time

FILTERS: dict[str, tuple[str, Callable[[datetime], Q]]] = {
    "live": ("Live", live),
    "soon": ("Expire soon", lambda now: live(now) & Q(expires_at__lte=now + SOON, grace_ends_at__isnull=True)),
    "rotated": ("Being rotated", lambda now: live(now) & Q(grace_ends_at__isnull=False)),
    "expired": (
        "Expired",
        lambda now: Q(Q(expires_at__lte=now) | Q(grace_ends_at__lte=now), revoked_at__isnull=True),
    ),
    "revoked": ("Revoked", lambda _: Q(revoked_at__isnull=False)),
}


class State(NamedTuple):
    code: str
    words: str
    preposition: str  # before the moment
    moment: datetime | None

    @property
    def is_live(self) -> bool:
        return self.code in ("live", "soon", "rotated")

    @property
    def may_rotate(self) -> bool:
        return self.code in ("live", "soon")


def state_of(key: ApiKey, now: datetime) -> State:
    """As authentication judges the key at `now`."""
    match key.status(now):
        case "revoked":
            return State("revoked", "Revoked", "on", key.revoked_at)
        case "expired" if key.grace_ends_at is not None and key.grace_ends_at <= now:
            return State("expired", "Rotated", "ended on", key.grace_ends_at)
        case "expired":
            return State("expired", "Expired", "on", key.expires_at)
        case "grace":
            return State("rotated", "Rotated", "works until", key.grace_ends_at)
    if key.expires_at is None:
        return State("live", "Live", "", None)
    is_soon = key.expires_at <= now + SOON
    return State("soon" if is_soon else "live", "Expires soon" if is_soon else "Live", "until", key.expires_at)

"""Reads of keys: the one query of every authenticated request, and the look-ups of staff."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.api_keys import limits, tokens
from apps.api_keys.models import ApiKey
from apps.api_keys.scopes import EVERYTHING
from helios_site.env import Rate

# Raw SQL, because this runs on every request and the ORM costs five times as much. `digest` has a unique index.
_FIND = """
SELECT key.id, key.organization_id, key.name, key.key_prefix, key.scopes, key.expires_at, key.revoked_at,
       key.grace_ends_at, key.allowed_cidrs, key.rate_limit_per_minute, key.rate_limit_is_granted,
       key.last_used_at, key.digest, organization.name, organization.plan, organization.is_active,
       organization.helios_lenient_user
FROM api_keys_apikey AS key JOIN accounts_organization AS organization ON organization.id = key.organization_id
WHERE key.digest IN ({})
"""


class KeyRecord(NamedTuple):
    """A key as one request sees it: `request.auth` of a call with a key."""

    id: uuid.UUID
    organization_id: uuid.UUID
    name: str
    key_prefix: str
    scopes: Sequence[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    grace_ends_at: datetime | None
    allowed_cidrs: Sequence[str]
    rate_limit_per_minute: int | None
    rate_limit_is_granted: bool
    last_used_at: datetime | None
    digest: bytes
    organization_name: str
    plan: str
    organization_is_active: bool
    helios_lenient_user: bool

    @property
    def key_id(self) -> uuid.UUID:
        return self.id

    @property
    def actor(self) -> audit.Actor:
        return audit.by_key(self.id)

    @property
    def bucket(self) -> str:
        """The name under which the limiter counts this caller."""
        return f"key:{self.id}"

    def rate(self, default: Rate) -> Rate:
        """The key's limit in the family whose general limit is `default`."""
        own, is_granted = self.rate_limit_per_minute, self.rate_limit_is_granted
        return limits.of_key(self.plan, own, is_granted=is_granted, general=default)

    def record_replay(self, object_id: str) -> None:
        audit.record_replay(actor=self.actor, organization_id=self.organization_id, object_id=object_id)


def find_record(digests: list[bytes]) -> KeyRecord | None:
    """The key with one of `digests` and its organisation, in one indexed query, live or not."""
    with connection.cursor() as cursor:
        # Not `= ANY(array)`: making an array of bytes costs psycopg a third of the whole call.
        cursor.execute(_FIND.format(", ".join(["%s"] * len(digests))), digests)
        row = cursor.fetchone()
    return None if row is None else KeyRecord(*row)


def key_of_raw(raw_key: str) -> ApiKey | None:
    """The row of a raw key in somebody's hands (leak reports, commands), live or not; None if it is not ours."""
    if not tokens.is_well_formed(raw_key):
        return None
    return ApiKey.objects.select_related("organization").filter(digest__in=tokens.digests(raw_key)).first()


def has_keys(organization: Organization) -> bool:
    """Whether the organisation has, or ever had, a key."""
    return ApiKey.objects.filter(organization=organization).exists()


def live(now: datetime) -> Q:
    """What is true of a key that is accepted at `now`."""
    return Q(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        Q(grace_ends_at__isnull=True) | Q(grace_ends_at__gt=now),
        revoked_at__isnull=True,
    )


def list_keys(organization_id: uuid.UUID) -> QuerySet[ApiKey]:
    """The organisation's keys, live and ended, the newest first."""
    return ApiKey.objects.filter(organization_id=organization_id).order_by("-created_at", "-id")


def get_key(organization_id: uuid.UUID, key_id: uuid.UUID) -> ApiKey | None:
    """One key with who made and who revoked it, and the key that takes its place; None where it is not theirs."""
    keys = list_keys(organization_id).select_related("organization", "created_by", "revoked_by", "superseded_by")
    return keys.filter(id=key_id).first()


def count_live(organization_id: uuid.UUID, now: datetime) -> int:
    return list_keys(organization_id).filter(live(now)).count()


def newest_live_prefix(organization_id: uuid.UUID, needed: Sequence[str]) -> str | None:
    """The visible beginning of the organisation's newest key that is accepted, not being replaced, and may do what
    scopes `needed` allow."""
    may = Q(scopes__contains=needed) | Q(scopes__contains=[EVERYTHING])
    keys = list_keys(organization_id).filter(live(timezone.now()), may, grace_ends_at=None)
    return keys.values_list("key_prefix", flat=True).first()


def keys_by_prefix(prefix: str, limit: int = 20) -> list[ApiKey]:
    """Keys whose visible prefix begins with `prefix`, newest first."""
    matches = ApiKey.objects.select_related("organization").filter(key_prefix__startswith=prefix)
    return list(matches.order_by("-created_at", "-id")[:limit])

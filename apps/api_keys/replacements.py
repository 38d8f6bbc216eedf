"""Replacing a leaked key in one step: it is refused from now on, and its organisation takes a new one by a link.

Staff never see the new key: it is made when an admin of the organisation asks for it, in the answer to that request.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.api_keys import links, notices, services
from apps.api_keys.models import ApiKey, KeyReplacement


class NotOpen(Exception):
    """The link was used, or it expired."""


@transaction.atomic
def offer_replacement(*, actor: audit.Actor, key_id: uuid.UUID, reason: str, offered_by: User) -> tuple[ApiKey, bool]:
    """Revoke the key, and have the admins of its organisation mailed a link to a new one. A link that was offered
    before and not used ends.

    Returns the key and whether this call revoked it; one that was revoked already keeps its first reason.
    Raises ApiKey.DoesNotExist; ValidationError without a reason.
    """
    key, is_new = services.revoke_key(
        actor=actor, key_id=key_id, reason=reason, revoked_by=offered_by, mail_admins=False
    )
    now = timezone.now()
    KeyReplacement.objects.filter(key=key, used_at__isnull=True, expires_at__gt=now).update(expires_at=now)
    replacement = KeyReplacement.objects.create(key=key, offered_by=offered_by, expires_at=now + links.VALID_FOR)
    _record("api_key.replacement_offered", actor, key, reason=reason)
    notices.announce(key, notices.Kind.REPLACED, replacement=replacement)
    return key, is_new


@transaction.atomic
def take_replacement(*, actor: audit.Actor, replacement_id: uuid.UUID, user: User) -> tuple[ApiKey, str]:
    """The new key and its raw value: name, scopes, networks and limit are the old one's, and so is its expiry.

    Raises NotOpen; ValidationError when the organisation has no room for one key more.
    """
    offered = KeyReplacement.objects.select_related("key__organization").get(id=replacement_id)
    services.take_turns(offered.key.organization)
    old = services.locked(offered.key_id)
    replacement = KeyReplacement.objects.select_for_update().get(id=replacement_id)
    now = timezone.now()
    if replacement.state(now) != "open":
        raise NotOpen
    key, raw_key = services.copy_key(old, created_by=user, expires_at=_expiry(old, now))
    replacement.used_at, replacement.used_by, replacement.new_key = now, user, key
    replacement.save(update_fields=["used_at", "used_by", "new_key"])
    if old.superseded_by_id is None:
        old.superseded_by = key
        old.save(update_fields=["superseded_by"])
    _record("api_key.replaced", actor, old, reason=f"replaced by {key.key_prefix}…")
    _record("api_key.created", actor, key, reason=f"replaces {old.key_prefix}…: {', '.join(key.scopes)}")
    return key, raw_key


def _expiry(old: ApiKey, now: datetime) -> datetime | None:
    """The old key's expiry; where that is past, as long a life from now on as the old key had."""
    if old.expires_at is None or old.expires_at > now:
        return old.expires_at
    return now + (old.expires_at - old.created_at)


def _record(action: str, actor: audit.Actor, key: ApiKey, *, reason: str) -> None:
    audit.record(
        action,
        actor=actor,
        organization_id=key.organization_id,
        object_type="api_key",
        object_id=key.id,
        reason=reason,
    )

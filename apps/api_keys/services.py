"""Every write to keys, each in one transaction with its audit row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.closing import forget_log_entries
from apps.accounts.models import Organization, User
from apps.api_keys import limits, notices, tokens, validation
from apps.api_keys.models import ApiKey, KeyNotice, KeyReplacement
from apps.api_keys.scopes import EVERYTHING
from apps.api_keys.selectors import count_live, has_keys
from helios_site.api.events import Event, announce

_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "name": validation.clean_name,
    "scopes": validation.clean_scopes,
    "expires_at": validation.clean_expiry,
    "allowed_cidrs": validation.clean_networks,
    "rate_limit_per_minute": validation.clean_rate_limit,
}
CHANGEABLE = ("name", "scopes", "allowed_cidrs", "rate_limit_per_minute")


MAX_GRACE_SECONDS = 30 * 86_400


FIRST_KEY_NAME = "First key"


class NotTheFirst(Exception):
    """The organisation has, or had, a key already."""


class IssuedAlready(Exception):
    """A key of this id was issued: the same form was sent twice. What the first answer showed is not shown again."""


class KeyEnded(Exception):
    """The key is revoked, expired or rotated already; the text says which, for its owner."""


@transaction.atomic
def issue_key(
    *,
    actor: audit.Actor,
    organization: Organization,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    allowed_cidrs: Sequence[str] = (),
    rate_limit_per_minute: int | None = None,
    created_by: User | None = None,
    by_staff: bool = False,
    key_id: uuid.UUID | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its raw value, which exists from now on only in the caller's hands.

    Only staff may set a limit above the organisation's plan. With `key_id`, which the caller drew before, a call that
    is made twice issues one key. Raises ValidationError, by field, or as a whole when the organisation has
    `API_KEY_MAX_PER_ORG` live keys; IssuedAlready.
    """
    fields = _cleaned(
        name=name,
        scopes=scopes,
        expires_at=expires_at,
        allowed_cidrs=allowed_cidrs,
        rate_limit_per_minute=rate_limit_per_minute,
    )
    fields |= _limit(organization, fields["rate_limit_per_minute"], by_staff)
    if key_id is not None:
        take_turns(organization)
        if ApiKey.objects.filter(id=key_id).exists():
            raise IssuedAlready
        fields["id"] = key_id
    require_room(organization)
    key, raw_key = _store(organization, created_by, fields)
    _record("api_key.created", actor, key, reason=", ".join(key.scopes))
    return key, raw_key


@transaction.atomic
def issue_first_key(*, actor: audit.Actor, organization: Organization, created_by: User) -> tuple[ApiKey, str]:
    """A key with every scope for an organisation that never had one, and its raw value. Raises NotTheFirst."""
    take_turns(organization)
    if has_keys(organization):
        raise NotTheFirst
    return issue_key(
        actor=actor, organization=organization, name=FIRST_KEY_NAME, scopes=[EVERYTHING], created_by=created_by
    )


def _store(organization: Organization, created_by: User | None, fields: dict[str, Any]) -> tuple[ApiKey, str]:
    raw_key = tokens.generate()
    key = ApiKey.objects.create(
        organization=organization,
        key_prefix=tokens.display_prefix(raw_key),
        digest=tokens.digest(raw_key),
        pepper_version=tokens.pepper_version(),
        created_by=created_by,
        **fields,
    )
    return key, raw_key


@transaction.atomic
def change_key(*, actor: audit.Actor, key_id: uuid.UUID, by_staff: bool = False, **changes: Any) -> ApiKey:
    """Change name, scopes, networks or limit of a key; the next request with it is judged by the new values.
    Only staff may set a limit above the organisation's plan.

    Raises ApiKey.DoesNotExist, ValidationError by field, KeyEnded for a revoked key, TypeError for any other field.
    """
    if not set(changes) <= set(CHANGEABLE):
        raise TypeError(f"Only {', '.join(CHANGEABLE)} of a key can be changed.")
    fields = _cleaned(**changes)
    key = ApiKey.objects.select_for_update(no_key=True).get(id=key_id)
    if changes and key.revoked_at is not None:
        raise KeyEnded("The key is revoked")
    changed = [name for name, value in fields.items() if getattr(key, name) != value]
    if changed:
        if "rate_limit_per_minute" in changed:  # a limit that is sent back as it is stays granted
            fields |= _limit(key.organization, fields["rate_limit_per_minute"], by_staff)
        for name, value in fields.items():
            setattr(key, name, value)
        key.save(update_fields=list(fields))
        _record("api_key.changed", actor, key, reason="changed: " + ", ".join(changed))
    return key


@transaction.atomic
def revoke_key(
    *,
    actor: audit.Actor,
    key_id: uuid.UUID,
    reason: str,
    revoked_by: User | None = None,
    found_at: str = "",
    mail_admins: bool = True,
) -> tuple[ApiKey, bool]:
    """Refuse the key for ever: no request that begins after this transaction is accepted. The organisation's admins
    are mailed, unless the caller does that; `found_at` tells them, and the audit trail, where a leaked key was seen.

    Returns the key and whether this call revoked it: on a revoked key nothing changes, its first reason stays.
    Raises ApiKey.DoesNotExist; ValidationError without a reason.
    """
    reason = validation.clean_reason(reason)
    key = ApiKey.objects.select_for_update(no_key=True).get(id=key_id)
    if key.revoked_at is not None:
        return key, False
    key.revoked_at = timezone.now()
    key.revoked_by = revoked_by
    key.revoked_reason = reason
    key.save(update_fields=["revoked_at", "revoked_by", "revoked_reason"])
    _record("api_key.revoked", actor, key, reason=f"{reason}, found at {found_at}" if found_at else reason)
    if mail_admins:
        notices.announce(key, notices.Kind.REVOKED, detail=found_at)
    announce(Event("api_key.revoked", key.organization_id, key.id, "revoked"))
    return key, True


@transaction.atomic
def rotate_key(
    *, actor: audit.Actor, key_id: uuid.UUID, grace_seconds: int, created_by: User | None = None
) -> tuple[ApiKey, str]:
    """A successor with the same name, scopes, networks, limit and expiry, and its raw value. The old key stays valid
    for `grace_seconds` (0 to `MAX_GRACE_SECONDS`), but never past its own expiry.

    Raises ApiKey.DoesNotExist; KeyEnded for a key that is revoked, expired or rotated already; ValidationError when
    the organisation has no room for one key more.
    """
    if not 0 <= grace_seconds <= MAX_GRACE_SECONDS:
        raise ValueError(f"A grace period lasts from 0 to {MAX_GRACE_SECONDS} seconds.")
    take_turns(ApiKey.objects.select_related("organization").get(id=key_id).organization)
    old = locked(key_id)
    now = timezone.now()
    _require_unended(old, now)
    grace_ends_at = now + timedelta(seconds=grace_seconds)
    old.grace_ends_at = grace_ends_at if old.expires_at is None else min(grace_ends_at, old.expires_at)
    old.save(update_fields=["grace_ends_at"])  # before the keys are counted: without grace it makes room
    key, raw_key = copy_key(old, created_by=created_by, expires_at=old.expires_at)
    old.superseded_by = key
    old.save(update_fields=["superseded_by"])
    _record("api_key.rotated", actor, old, reason=f"replaced by {key.key_prefix}…, ends {old.grace_ends_at:%F %T} UTC")
    _record("api_key.created", actor, key, reason=f"replaces {old.key_prefix}…: {', '.join(key.scopes)}")
    return key, raw_key


def locked(key_id: uuid.UUID) -> ApiKey:
    """The key with its organisation, held until the transaction ends. Raises ApiKey.DoesNotExist."""
    held = ApiKey.objects.select_for_update(no_key=True, of=("self",))
    return held.select_related("organization").get(id=key_id)


def copy_key(old: ApiKey, *, created_by: User | None, expires_at: datetime | None) -> tuple[ApiKey, str]:
    """A new key that may do what `old` may, and its raw value. To be called in a transaction that records it.
    Raises ValidationError when the organisation has no room for one key more."""
    require_room(old.organization)
    copied = {name: getattr(old, name) for name in (*_CLEANERS, "rate_limit_is_granted")}
    return _store(old.organization, created_by, copied | {"expires_at": expires_at})


def _require_unended(key: ApiKey, now: datetime) -> None:
    if key.revoked_at is not None:
        raise KeyEnded("The key is revoked")
    if key.superseded_by_id is not None or key.grace_ends_at is not None:
        raise KeyEnded("The key is rotated already")
    if key.expires_at is not None and now >= key.expires_at:
        raise KeyEnded("The key is expired")


@transaction.atomic
def revoke_all_keys(
    *, actor: audit.Actor, organization: Organization, reason: str, revoked_by: User | None = None
) -> int:
    """Revoke every key of the organisation that is not revoked yet, each with its own audit row; how many they were.
    Raises ValidationError without a reason."""
    reason = validation.clean_reason(reason)
    take_turns(organization)
    ids = ApiKey.objects.filter(organization=organization, revoked_at__isnull=True).order_by("id")
    results = [
        revoke_key(actor=actor, key_id=key_id, reason=reason, revoked_by=revoked_by)
        for key_id in list(ids.values_list("id", flat=True))
    ]
    return sum(is_new for _, is_new in results)


@transaction.atomic
def forget_keys(*, organization: Organization) -> None:
    """Revoke every key of an organisation that is erased. The rows stay, so that a key that turns up can be traced, but
    without the names, the networks and the address, and nobody is mailed any more."""
    revoke_all_keys(actor=audit.SYSTEM, organization=organization, reason="The organisation was closed.")
    keys = ApiKey.objects.filter(organization=organization)
    KeyNotice.objects.filter(key__in=keys).delete()
    KeyReplacement.objects.filter(key__in=keys).delete()
    forget_log_entries(ApiKey, keys.values_list("pk", flat=True))
    keys.update(name="erased", revoked_reason="The organisation was closed.", allowed_cidrs=[], last_used_ip=None)


def touch_last_used(key_id: uuid.UUID, *, address: str | None, now: datetime) -> None:
    """Note the use of a key, at most once in `API_KEY_LAST_USED_SECONDS`; a locked row is skipped, never waited for."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE api_keys_apikey SET last_used_at = %s, last_used_ip = %s WHERE id = (
                SELECT id FROM api_keys_apikey
                WHERE id = %s AND (last_used_at IS NULL OR last_used_at <= %s)
                FOR NO KEY UPDATE SKIP LOCKED
            )
            """,
            [now, address, key_id, now - timedelta(seconds=settings.API_KEY_LAST_USED_SECONDS)],
        )


def renew_digest(key_id: uuid.UUID, *, digest: bytes) -> None:
    """Store the digest under the newest pepper, so that the old pepper can be withdrawn; a locked row is skipped."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE api_keys_apikey SET digest = %s, pepper_version = %s WHERE id = (
                SELECT id FROM api_keys_apikey WHERE id = %s AND digest <> %s FOR UPDATE SKIP LOCKED
            )
            """,
            [digest, tokens.pepper_version(), key_id, digest],
        )


def _cleaned(**fields: Any) -> dict[str, Any]:
    cleaned, errors = {}, {}
    for name, value in fields.items():
        try:
            cleaned[name] = _CLEANERS[name](value)
        except ValidationError as error:
            errors[name] = error
    if errors:
        raise ValidationError(errors)
    return cleaned


def _limit(organization: Organization, own: int | None, by_staff: bool) -> dict[str, Any]:
    """What is stored of a key's own limit. Raises ValidationError for one above the plan that staff did not set."""
    highest = limits.highest_own(organization.plan)
    if own is not None and own > highest and not by_staff:
        raise ValidationError(
            {
                "rate_limit_per_minute": [
                    f"Number must be less than or equal to {highest}",
                    f"The plan {organization.plan} allows no more; the operator of this service can give more.",
                ]
            }
        )
    return {"rate_limit_per_minute": own, "rate_limit_is_granted": by_staff and own is not None}


def require_room(organization: Organization) -> None:
    """Raise ValidationError if the organisation has no room for one more live key. To be called in a transaction:
    two who issue a key at once take turns here, so that the maximum is exact."""
    take_turns(organization)
    if count_live(organization.id, timezone.now()) >= settings.API_KEY_MAX_PER_ORG:
        raise ValidationError(
            {
                NON_FIELD_ERRORS: f"The organisation has {settings.API_KEY_MAX_PER_ORG} live keys, "
                "which is the most it may have. Revoke one first."
            }
        )


def take_turns(organization: Organization) -> None:
    """Hold the organisation's row until the transaction ends. Always before the row of a key, never after it."""
    Organization.objects.select_for_update(no_key=True).only("id").get(id=organization.id)


def _record(action: str, actor: audit.Actor, key: ApiKey, *, reason: str) -> None:
    audit.record(
        action,
        actor=actor,
        organization_id=key.organization_id,
        object_type="api_key",
        object_id=key.id,
        reason=reason,
    )

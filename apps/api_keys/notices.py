"""Mails about keys to the admins of their organisation. A mail shows a key's first characters and name, never a key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from apps.accounts import admin_mails, audit
from apps.api_keys import links
from apps.api_keys.models import ApiKey, KeyNotice, KeyReplacement
from helios_site.bell import ring_on_commit

SEND = "helios.housekeeping.send_key_notices"
Kind = KeyNotice.Kind

KEYS_IN_A_MAIL = 100
# How long before the expiry a notice is due; a key that lives no longer than that from the start gets none.
_AHEAD = {Kind.SEVEN_DAYS: timedelta(days=7), Kind.ONE_DAY: timedelta(days=1), Kind.EXPIRED: timedelta(0)}
_STALE = timedelta(days=7)  # an expiry longer ago is no news

_SUBJECTS = {
    Kind.REVOKED: "revoked",
    Kind.REPLACED: "revoked, and how to take a new one",
    Kind.SEVEN_DAYS: "expiring within seven days",
    Kind.ONE_DAY: "expiring within a day",
    Kind.EXPIRED: "expired",
}


def announce(key: ApiKey, kind: KeyNotice.Kind, *, detail: str = "", replacement: KeyReplacement | None = None) -> None:
    """Have the admins of the key's organisation mailed once the present transaction has committed. Each kind of
    notice is sent once for a key, and once for each replacement that is offered for it."""
    notice = KeyNotice(key=key, kind=kind, detail=detail[:300], replacement=replacement)
    KeyNotice.objects.bulk_create([notice], ignore_conflicts=True)
    ring_on_commit(SEND)


def note_expiries(now: datetime | None = None) -> int:
    """Write the notices of the keys whose expiry is near or just passed; how many are new. Keys that were replaced
    are left out: their end is what was wanted."""
    now = now or timezone.now()
    new = 0
    for kind, ahead in _AHEAD.items():
        nearer = [other for other in _AHEAD.values() if other < ahead]
        after = now + max(nearer) if nearer else now - _STALE
        due = ApiKey.objects.filter(
            expires_at__gt=after,
            expires_at__lte=now + ahead,
            revoked_at__isnull=True,
            superseded_by__isnull=True,
            organization__is_active=True,
        ).exclude(notices__kind=kind)
        # A key that was issued for less than that long is not news to who issued it.
        found = list(due.filter(expires_at__gt=F("created_at") + ahead))
        KeyNotice.objects.bulk_create([KeyNotice(key=key, kind=kind) for key in found], ignore_conflicts=True)
        new += len(found)
    return new


def send_due_notices() -> int:
    """Mail what is due, one mail for all keys of an organisation with the same news; the number of keys mailed of.

    At least once: a crash between the mail server's answer and the commit sends the mail again.
    """
    sent = 0
    while True:
        with transaction.atomic():
            notices = _claim()
            if not notices:
                return sent
            sent += _mail_of(notices)


def _claim() -> list[KeyNotice]:
    """Due notices of one kind and organisation, locked."""
    due = admin_mails.due(KeyNotice)
    first = due.select_related("key").first()
    if first is None:
        return []
    alike = due.filter(kind=first.kind, key__organization_id=first.key.organization_id)
    return list(alike.select_related("key__organization", "replacement")[:KEYS_IN_A_MAIL])


def _page_of(notices: Sequence[KeyNotice]) -> str:
    return reverse("keys") if len(notices) > 1 else reverse("key", args=[notices[0].key_id])


def _mail_of(notices: Sequence[KeyNotice]) -> int:
    kind, organization = Kind(notices[0].kind), notices[0].key.organization
    which = f"API key {notices[0].key.key_prefix}…" if len(notices) == 1 else f"{len(notices)} API keys"
    mailed = admin_mails.send(
        notices,
        organization,
        subject=f"{which} of {organization.name}: {_SUBJECTS[kind]}",
        template="emails/api_key_notice.txt",
        context={
            "kind": kind.value,
            "notices": [(notice, notice.replacement and links.renew(notice.replacement)) for notice in notices],
            "keys_url": settings.HELIOS_PUBLIC_BASE_URL + _page_of(notices),
        },
    )
    if mailed is None:
        return 0
    for notice in notices:
        audit.record(
            "api_key.notice_sent",
            actor=audit.SYSTEM,
            organization_id=organization.id,
            object_type="api_key",
            object_id=notice.key_id,
            reason=f"{kind.label}: mailed to {mailed} admins",
        )
    return len(notices)

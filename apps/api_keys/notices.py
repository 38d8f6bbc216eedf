"""Mails about keys to the admins of their organisation. A mail shows a key's first characters and name, never a key.

What is to be mailed is a row, written in the transaction of its cause; beat looks for rows that were not mailed yet,
so that neither a lost message of the broker nor a mail server that is away loses one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core import mail
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import Membership, User
from apps.api_keys.models import ApiKey, KeyNotice
from helios_site.bell import ring_on_commit

log = structlog.get_logger(__name__)

SEND = "helios.housekeeping.send_key_notices"
Kind = KeyNotice.Kind

MAX_TRIES = 10  # the last about 17 hours after the first
KEYS_IN_A_MAIL = 100
# How long before the expiry a notice is due; a key that lives no longer than that from the start gets none.
_AHEAD = {Kind.SEVEN_DAYS: timedelta(days=7), Kind.ONE_DAY: timedelta(days=1), Kind.EXPIRED: timedelta(0)}
_STALE = timedelta(days=7)  # an expiry longer ago is no news

_SUBJECTS = {
    Kind.REVOKED: "revoked",
    Kind.SEVEN_DAYS: "expiring within seven days",
    Kind.ONE_DAY: "expiring within a day",
    Kind.EXPIRED: "expired",
}


def announce(key: ApiKey, kind: KeyNotice.Kind, *, detail: str = "") -> None:
    """Have the admins of the key's organisation mailed once the present transaction has committed. Each kind of
    notice is sent once for a key."""
    KeyNotice.objects.bulk_create([KeyNotice(key=key, kind=kind, detail=detail[:300])], ignore_conflicts=True)
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
    """Due notices of one kind and organisation, locked; rows that another process has are skipped."""
    due = (
        KeyNotice.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(sent_at__isnull=True, tries__lt=MAX_TRIES, due_at__lte=timezone.now())
        .order_by("due_at", "id")
    )
    first = due.select_related("key").first()
    if first is None:
        return []
    alike = due.filter(kind=first.kind, key__organization_id=first.key.organization_id)
    return list(alike.select_related("key__organization")[:KEYS_IN_A_MAIL])


def _mail_of(notices: Sequence[KeyNotice]) -> int:
    kind, organization, now = Kind(notices[0].kind), notices[0].key.organization, timezone.now()
    members = Membership.objects.filter(organization=organization, role=Membership.Role.ADMIN)
    addresses = list(User.objects.filter(memberships__in=members, is_active=True).values_list("email", flat=True))
    try:
        if addresses:
            _send(kind, notices, addresses)
    except OSError as error:  # of which every fault of smtplib is one
        log.warning("mail_not_sent", kind=kind, organization_id=str(organization.id), error=type(error).__name__)
        for notice in notices:
            notice.tries += 1
            notice.due_at = now + timedelta(minutes=2**notice.tries)
        KeyNotice.objects.bulk_update(notices, ["tries", "due_at"])
        return 0
    for notice in notices:
        notice.sent_at = now
        audit.record(
            "api_key.notice_sent",
            actor=audit.SYSTEM,
            organization_id=organization.id,
            object_type="api_key",
            object_id=notice.key_id,
            reason=f"{kind.label}: mailed to {len(addresses)} admins",
        )
    KeyNotice.objects.bulk_update(notices, ["sent_at"])
    return len(notices)


def _send(kind: KeyNotice.Kind, notices: Sequence[KeyNotice], addresses: Sequence[str]) -> None:
    organization = notices[0].key.organization
    which = f"API key {notices[0].key.key_prefix}…" if len(notices) == 1 else f"{len(notices)} API keys"
    subject = f"{which} of {organization.name}: {_SUBJECTS[kind]}"
    context = {
        "kind": kind.value,
        "organization": organization,
        "notices": notices,
        "keys_url": f"{settings.HELIOS_PUBLIC_BASE_URL}/browse/api/v1/ext-api-keys",
    }
    body = render_to_string("emails/api_key_notice.txt", context)
    # One mail each: who else is an admin is nobody's business.
    mails = [mail.EmailMessage(subject, body, to=[address]) for address in addresses]
    mail.get_connection().send_messages(mails)

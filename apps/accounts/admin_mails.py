"""Mails to the admins of an organisation.

What is to be mailed is a row, written in the transaction of its cause; beat looks for rows that were not mailed yet,
so that neither a lost message of the broker nor a mail server that is away loses one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from django.core import mail
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from apps.accounts.models import AdminNotice, Membership, Organization, User

log = structlog.get_logger(__name__)

MAX_TRIES = 10  # the last about 17 hours after the first


Notice = TypeVar("Notice", bound=AdminNotice)


def due(kind: type[Notice]) -> QuerySet[Notice]:
    """What is to be mailed now, to be locked as it is read; rows that another process has are skipped."""
    return (
        kind._default_manager.select_for_update(of=("self",), skip_locked=True)
        .filter(sent_at__isnull=True, tries__lt=MAX_TRIES, due_at__lte=timezone.now())
        .order_by("due_at", "id")
    )


def addresses_of(organization: Organization) -> list[str]:
    """Where the organisation's admins are mailed."""
    members = Membership.objects.filter(organization=organization, role=Membership.Role.ADMIN)
    return list(User.objects.filter(memberships__in=members, is_active=True).values_list("email", flat=True))


def send(
    notices: Sequence[Notice], organization: Organization, *, subject: str, template: str, context: dict[str, Any]
) -> int | None:
    """Mail what some locked notices say to the organisation's admins; how many those are. None: the mail server did
    not take it, and the notices are due again later."""
    rows, now = type(notices[0])._default_manager, timezone.now()
    addresses = addresses_of(organization)
    body = render_to_string(template, {"organization": organization, **context})
    # One mail each: who else is an admin is nobody's business.
    mails = [mail.EmailMessage(subject, body, to=[address]) for address in addresses]
    try:
        if mails:
            mail.get_connection().send_messages(mails)
    except OSError as error:  # of which every fault of smtplib is one
        log.warning("mail_not_sent", organization_id=str(organization.id), error=type(error).__name__)
        for notice in notices:
            notice.tries += 1
            notice.due_at = now + timedelta(minutes=2**notice.tries)
        rows.bulk_update(notices, ["tries", "due_at"])
        return None
    for notice in notices:
        notice.sent_at = now
    rows.bulk_update(notices, ["sent_at"])
    return len(addresses)

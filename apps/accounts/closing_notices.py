"""Mails to the admins of an organisation that is closing. What is to be mailed is a row; beat looks for those that were
not mailed yet, so that neither a lost message nor a mail server that is away loses one."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.core import mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.archive_links import archive_url
from apps.accounts.models import Membership, Organization, OrganizationNotice, User
from helios_site.bell import ring_on_commit

log = structlog.get_logger(__name__)

SEND = "helios.housekeeping.send_organization_notices"
MAX_TRIES = 10  # the last about 17 hours after the first


def write(organization: Organization, kind: OrganizationNotice.Kind, *, detail: str = "") -> None:
    """Have the organisation's admins mailed once the present transaction has committed."""
    OrganizationNotice.objects.create(organization=organization, kind=kind, detail=detail[:300])
    ring_on_commit(SEND)


def send_due_notices() -> int:
    """Mail what is due; how many notices. At least once: a crash between the mail server's answer and the commit sends
    the mail again."""
    sent = 0
    while True:
        with transaction.atomic():
            notice = (
                OrganizationNotice.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related("organization")
                .filter(sent_at__isnull=True, tries__lt=MAX_TRIES, due_at__lte=timezone.now())
                .order_by("due_at", "id")
                .first()
            )
            if notice is None:
                return sent
            sent += _send(notice)


def _send(notice: OrganizationNotice) -> bool:
    admins = Membership.objects.filter(organization=notice.organization, role=Membership.Role.ADMIN)
    addresses = list(User.objects.filter(memberships__in=admins, is_active=True).values_list("email", flat=True))
    try:
        if addresses:
            # One mail each: who else is an admin is nobody's business.
            subject, body = _text(notice)
            mails = [mail.EmailMessage(subject, body, to=[address]) for address in addresses]
            mail.get_connection().send_messages(mails)
    except OSError as error:  # of which every fault of smtplib is one
        log.warning("mail_not_sent", kind=notice.kind, notice=notice.pk, error=type(error).__name__)
        notice.tries += 1
        notice.due_at = timezone.now() + timedelta(minutes=2**notice.tries)
        notice.save(update_fields=["tries", "due_at"])
        return False
    notice.sent_at = timezone.now()
    notice.save(update_fields=["sent_at"])
    audit.record(
        "organization.notice_sent",
        actor=audit.SYSTEM,
        organization_id=notice.organization_id,
        object_type="organization",
        object_id=notice.organization_id,
        reason=f"{notice.get_kind_display()}: mailed to {len(addresses)} admins",
    )
    return True


def _text(notice: OrganizationNotice) -> tuple[str, str]:
    organization = notice.organization
    context = {
        "kind": notice.kind,
        "organization": organization,
        "by": notice.detail,
        "page_url": f"{settings.HELIOS_PUBLIC_BASE_URL}{reverse('organization-close')}",
        "archive_url": archive_url(organization) if notice.kind == OrganizationNotice.Kind.ARCHIVE else "",
    }
    subject = {
        OrganizationNotice.Kind.CLOSING.value: f"{organization.name} is closing",
        OrganizationNotice.Kind.ARCHIVE.value: f"The archive of {organization.name} is ready",
        OrganizationNotice.Kind.REOPENED.value: f"{organization.name} is open again",
    }[notice.kind]
    return subject, render_to_string("emails/organization_notice.txt", context)

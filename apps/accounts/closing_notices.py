"""Mails to the admins of an organisation that is closing."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from apps.accounts import admin_mails, audit
from apps.accounts.archive_links import archive_url
from apps.accounts.models import Organization, OrganizationNotice
from helios_site.bell import ring_on_commit

SEND = "helios.housekeeping.send_organization_notices"
Kind = OrganizationNotice.Kind

_SUBJECTS = {
    Kind.CLOSING: "{} is closing",
    Kind.ARCHIVE: "The archive of {} is ready",
    Kind.REOPENED: "{} is open again",
}


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
            notice = admin_mails.due(OrganizationNotice).select_related("organization").first()
            if notice is None:
                return sent
            sent += _send(notice)


def _send(notice: OrganizationNotice) -> bool:
    kind, organization = Kind(notice.kind), notice.organization
    mailed = admin_mails.send(
        [notice],
        organization,
        subject=_SUBJECTS[kind].format(organization.name),
        template="emails/organization_notice.txt",
        context={
            "kind": kind.value,
            "by": notice.detail,
            "page_url": f"{settings.HELIOS_PUBLIC_BASE_URL}{reverse('organization-close')}",
            "archive_url": archive_url(organization) if kind == Kind.ARCHIVE else "",
        },
    )
    if mailed is None:
        return False
    audit.record(
        "organization.notice_sent",
        actor=audit.SYSTEM,
        organization_id=organization.id,
        object_type="organization",
        object_id=organization.id,
        reason=f"{kind.label}: mailed to {mailed} admins",
    )
    return True

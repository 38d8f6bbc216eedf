"""Mails to the admins of an organisation whose endpoint was disabled. They show its URL without the query, which may
hold a secret."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from apps.accounts import admin_mails, audit
from apps.webhooks.models import WebhookDelivery, WebhookNotice
from apps.webhooks.services import trail
from helios_site.bell import ring_on_commit

SEND = "helios.housekeeping.send_webhook_notices"


def announce_disabled(failed: WebhookDelivery) -> None:
    """Have the admins mailed, once the present transaction has committed, that `failed` has disabled its endpoint."""
    WebhookNotice.objects.create(
        endpoint_id=failed.endpoint_id,
        event=failed.event,
        tried=failed.attempts,
        answer=failed.error or f"the answer had the status {failed.response_status}",
    )
    ring_on_commit(SEND)


def send_due_notices() -> int:
    """Mail what is due; how many endpoints were mailed of. At least once: a crash between the mail server's answer and
    the commit sends the mail again."""
    sent = 0
    while True:
        with transaction.atomic():
            notice = admin_mails.due(WebhookNotice).select_related("endpoint__organization").first()
            if notice is None:
                return sent
            sent += _mail_of(notice)


def _mail_of(notice: WebhookNotice) -> bool:
    endpoint = notice.endpoint
    url = endpoint.url.partition("?")[0]
    mailed = admin_mails.send(
        [notice],
        endpoint.organization,
        subject=f"Webhook of {endpoint.organization.name}: disabled",
        template="emails/webhook_disabled.txt",
        context={"notice": notice, "url": url, "base_url": settings.HELIOS_PUBLIC_BASE_URL},
    )
    if mailed is None:
        return False
    trail.record("notice_sent", endpoint, actor=audit.SYSTEM, reason=f"disabled: mailed to {mailed} admins")
    return True

"""Who is told that a webhook was disabled, and of what."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.webhooks import services
from apps.webhooks.models import WebhookEndpoint, WebhookNotice
from apps.webhooks.services import Outcome
from apps.webhooks.services.delivering import SCHEDULE
from helios_site import celery
from tests.webhooks.conftest import PUBLIC, MakeEndpoint, say

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people(organization: Organization, other_organization: Organization) -> None:
    for name, where, role in (
        ("ada", organization, "admin"), ("bea", organization, "admin"), ("cy", organization, "member"),
        ("dan", other_organization, "admin"),
    ):  # fmt: skip
        user = User.objects.create_user(f"{name}@example.org")
        Membership.objects.create(organization=where, user=user, role=role)


def fail_for_good(endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    """The last try of everything that waits for the endpoint."""
    endpoint.deliveries.update(attempts=len(SCHEDULE))
    while claim := services.claim_delivery(endpoint_id=endpoint.id):
        services.finish_delivery(claim=claim, outcome=outcome)


def test_the_admins_are_mailed_once_what_was_disabled_and_what_to_do(
    organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    endpoint = make_endpoint(f"{PUBLIC}?token=query-canary")
    say(organization, user_label="label-canary")
    fail_for_good(endpoint, Outcome(status=503, response="answer-canary"))
    assert services.send_due_notices() == 1
    assert services.send_due_notices() == 0
    assert sorted(one.to[0] for one in mail.outbox) == ["ada@example.org", "bea@example.org"]
    assert {one.subject for one in mail.outbox} == {"Webhook of Northern Clinic: disabled"}
    text = str(mail.outbox[0].body)
    for expected in (
        f"  {PUBLIC}\n", "after 10 tries to deliver model_run.completed", "the answer had the status 503",
        f"/v1/webhooks/{endpoint.id}/enable", f"/webhooks/{endpoint.id}\n",
    ):  # fmt: skip
        assert expected in text
    assert "canary" not in text
    [event] = AuditEvent.objects.filter(action="webhook.notice_sent")
    assert (event.object_id, event.reason) == (str(endpoint.id), "disabled: mailed to 2 admins")


def test_of_an_answer_that_never_came_the_reason_is_told(
    organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    endpoint = make_endpoint()
    say(organization)
    fail_for_good(endpoint, Outcome(error="nobody answers there"))
    services.send_due_notices()
    assert "the last time: nobody answers there" in str(mail.outbox[0].body)


def test_several_events_that_fail_disable_and_mail_once(
    organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    endpoint = make_endpoint()
    for _ in range(3):
        say(organization)
    endpoint.deliveries.update(attempts=len(SCHEDULE))
    claims = [services.claim_delivery(endpoint_id=endpoint.id) for _ in range(3)]
    for claim in claims:
        assert claim is not None
        services.finish_delivery(claim=claim, outcome=Outcome(status=500))
    assert WebhookNotice.objects.count() == 1


def test_what_staff_disable_and_a_test_that_fails_are_no_news(
    organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    endpoint = make_endpoint()
    services.send_test(actor=SYSTEM, organization_id=organization.id, endpoint_id=endpoint.id)
    fail_for_good(endpoint, Outcome(status=500))
    services.disable_endpoint(actor=SYSTEM, endpoint_id=endpoint.id, reason="noisy")
    assert WebhookNotice.objects.count() == 0


def test_a_mail_server_that_is_away_loses_nothing(
    organization: Organization, make_endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def send_messages(self, _: Any) -> int:
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    endpoint = make_endpoint()
    say(organization)
    fail_for_good(endpoint, Outcome(status=500))
    with monkeypatch.context() as patched:
        patched.setattr(mail, "get_connection", Away)
        assert services.send_due_notices() == 0
    assert services.send_due_notices() == 0  # not before two minutes are over
    with time_machine.travel(timezone.now() + timedelta(minutes=2, seconds=1), tick=False):
        assert services.send_due_notices() == 1
    assert len(mail.outbox) == 2


def test_the_task_rings_after_the_commit_and_beat_looks_for_what_was_lost(
    organization: Organization, make_endpoint: MakeEndpoint, django_capture_on_commit_callbacks: Any
) -> None:
    endpoint = make_endpoint()
    say(organization)
    with django_capture_on_commit_callbacks() as bells:
        fail_for_good(endpoint, Outcome(status=500))
    assert len(bells) == 1
    celery.app.finalize()
    assert celery.app.conf.beat_schedule["helios.housekeeping.send_webhook_notices"]["schedule"] == 60

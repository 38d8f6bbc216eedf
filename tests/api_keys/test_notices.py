"""Mails to admins about keys: each kind once, nothing lost, never a key."""

from __future__ import annotations

import smtplib
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone

from apps.accounts import admin_mails
from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys import notices, services
from apps.api_keys.models import ApiKey, KeyNotice
from helios_site.celery import app
from tests.conftest import RECORDINGS, MakeKey

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def admin(organization: Organization) -> User:
    user = User.objects.create_user("ada@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    return user


def subjects() -> list[str]:
    return [str(one.subject) for one in mail.outbox]


def pass_through(start: Any, days: float) -> list[tuple[float, str]]:
    """When, in days from `start`, which mail was sent, with the jobs of beat run every half hour."""
    seen = []
    for half_hour in range(int(days * 48)):
        with time_machine.travel(start + half_hour * timedelta(minutes=30), tick=False):
            notices.note_expiries()
            notices.send_due_notices()
        seen += [(half_hour / 48, str(one.subject).rpartition(": ")[2]) for one in mail.outbox]
        mail.outbox.clear()
    return seen


def test_an_expiry_is_announced_seven_days_and_one_day_ahead_and_when_it_is_there(make_key: MakeKey) -> None:
    start = timezone.now()
    make_key(expires_at=start + 9 * DAY)
    assert pass_through(start, 12) == [
        (2.0, "expiring within seven days"),
        (8.0, "expiring within a day"),
        (9.0, "expired"),
    ]


def test_a_mail_leads_to_the_key_or_where_there_are_several_to_the_list(make_key: MakeKey) -> None:
    key = make_key()[0]
    services.revoke_key(actor=SYSTEM, key_id=key.id, reason="over")
    notices.send_due_notices()
    assert f"http://127.0.0.1:8000/keys/{key.id}\n" in mail.outbox[-1].body
    for _ in range(2):
        services.revoke_key(actor=SYSTEM, key_id=make_key()[0].id, reason="over")
    notices.send_due_notices()
    assert "http://127.0.0.1:8000/keys\n" in mail.outbox[-1].body


def test_a_short_lived_key_is_not_announced_to_who_has_just_made_it(make_key: MakeKey) -> None:
    start = timezone.now()
    make_key(expires_at=start + 3 * DAY)
    assert pass_through(start, 4) == [(2.0, "expiring within a day"), (3.0, "expired")]
    start = timezone.now()
    make_key(expires_at=start + DAY / 2)
    assert pass_through(start, 1) == [(0.5, "expired")]


def test_a_job_that_was_away_sends_one_notice_and_not_those_it_missed(make_key: MakeKey) -> None:
    make_key(expires_at=timezone.now() + 9 * DAY)
    with time_machine.travel(timezone.now() + 8.5 * DAY, tick=False):
        assert notices.note_expiries() == 1
        assert list(KeyNotice.objects.values_list("kind", flat=True)) == ["1_day"]
    with time_machine.travel(timezone.now() + 30 * DAY, tick=False):
        assert notices.note_expiries() == 0


def test_keys_whose_end_is_known_or_wanted_are_left_out(make_key: MakeKey, other_organization: Organization) -> None:
    soon = timezone.now() + 2 * DAY
    revoked, rotated = (make_key(expires_at=soon)[0] for _ in range(2))
    services.revoke_key(actor=SYSTEM, key_id=revoked.pk, reason="x")
    services.rotate_key(actor=SYSTEM, key_id=rotated.pk, grace_seconds=86_400)
    ApiKey.objects.filter(superseded_by__isnull=True).exclude(pk=revoked.pk).update(expires_at=None)
    make_key(expires_at=soon, organization=other_organization)
    Organization.objects.filter(pk=other_organization.pk).update(is_active=False)
    ApiKey.objects.update(created_at=timezone.now() - 30 * DAY)
    assert notices.note_expiries() == 0


def test_keys_of_one_organisation_with_the_same_news_share_a_mail(
    make_key: MakeKey, other_organization: Organization
) -> None:
    for name in ("one", "two"):
        make_key(name=name, expires_at=timezone.now() + 2 * DAY)
    make_key(name="three", organization=other_organization, expires_at=timezone.now() + 2 * DAY)
    ApiKey.objects.update(created_at=timezone.now() - 30 * DAY)
    notices.note_expiries()
    notices.send_due_notices()
    assert subjects() == ["2 API keys of Northern Clinic: expiring within seven days"]
    body = str(mail.outbox[0].body)
    assert "  one\n" in body
    assert "  two\n" in body
    assert "three" not in body  # whose organisation has no admin to be told
    assert not KeyNotice.objects.filter(sent_at__isnull=True).exists()
    reasons = AuditEvent.objects.filter(action="api_key.notice_sent").values_list("reason", flat=True)
    assert sorted(reasons) == [f"expires within seven days: mailed to {n} admins" for n in (0, 1, 1)]


def test_a_name_is_mailed_as_it_is_and_no_markup_is_made_of_it(make_key: MakeKey) -> None:
    key, _ = make_key(name="R&D <b>'key'</b>")
    services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="a & b")
    notices.send_due_notices()
    assert "R&D <b>'key'</b>\n" in str(mail.outbox[0].body)
    assert "UTC: a & b\n" in str(mail.outbox[0].body)
    assert mail.outbox[0].content_subtype == "plain"


class _Away:
    """A mail server that takes nothing."""

    def send_messages(self, _: Any) -> int:
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")


def test_a_mail_server_that_is_away_loses_nothing(make_key: MakeKey, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = make_key()
    services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="x")
    with monkeypatch.context() as patched:
        patched.setattr(mail, "get_connection", _Away)
        assert notices.send_due_notices() == 0
    notice = KeyNotice.objects.get()
    assert (notice.sent_at, notice.tries) == (None, 1)
    assert notices.send_due_notices() == 0  # not before two minutes are over
    with time_machine.travel(timezone.now() + timedelta(minutes=2, seconds=1), tick=False):
        assert notices.send_due_notices() == 1
    assert len(mail.outbox) == 1


def test_a_mail_that_nobody_ever_takes_is_given_up(make_key: MakeKey, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = make_key()
    services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="x")
    monkeypatch.setattr(mail, "get_connection", _Away)
    now = timezone.now()
    for hour in range(48):
        with time_machine.travel(now + timedelta(hours=hour), tick=False):
            notices.send_due_notices()
    assert KeyNotice.objects.get().tries == admin_mails.MAX_TRIES


@pytest.mark.django_db(transaction=True)
def test_a_notice_lives_and_dies_with_the_transaction_of_its_cause(make_key: MakeKey) -> None:
    key, _ = make_key()
    with transaction.atomic():
        services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="x")
        assert KeyNotice.objects.exists()
        transaction.set_rollback(True)
    assert not KeyNotice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_delays_only_the_mail(make_key: MakeKey, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = make_key()

    def away(*_: Any, **__: Any) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(app, "send_task", away)
    services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="x")
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert notices.send_due_notices() == 1


@RECORDINGS
def test_a_worker_mails_as_soon_as_a_key_is_revoked(worker: Path, make_key: MakeKey) -> None:
    key, raw_key = make_key(name="EHR sync")
    services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="leak_report")
    deadline = time.monotonic() + 30
    while not KeyNotice.objects.filter(sent_at__isnull=False).exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    printed = worker.read_text()  # where no mail server is named, mails are printed
    assert "To: ada@example.org" in printed
    assert raw_key[12:] not in printed

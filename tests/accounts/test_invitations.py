"""Inviting people: who may join with which link, what is stored and mailed, and what is refused."""

from __future__ import annotations

import hashlib
import re
import smtplib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.backends.cache import SessionStore
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import invitations
from apps.accounts.audit import SYSTEM, by_user
from apps.accounts.invitations import CannotAccept, accept_invitation, invite_member, withdraw_invitation
from apps.accounts.models import AuditEvent, Invitation, Membership, Organization, User
from helios_site.celery import app
from helios_site.logs import redact

pytestmark = pytest.mark.django_db
ADDRESS = "ben@example.org"


@pytest.fixture
def ada(organization: Organization) -> User:
    user = User.objects.create_user("ada@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    return user


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_user(ADDRESS)


@pytest.fixture
def invite(organization: Organization, ada: User) -> Callable[..., Invitation]:
    def invite(email: str = ADDRESS, role: str = "member", **fields: Any) -> Invitation:
        fields = {"organization": organization, "invited_by": ada} | fields
        return invite_member(actor=by_user(ada), email=email, role=role, **fields)

    return invite


def recorded() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("action", "reason"))


def mailed_token() -> str:
    """That of the newest mail."""
    found = re.search(r"http://127\.0\.0\.1:8000/invitations/(\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def test_an_invitation_is_mailed_once_to_its_address_with_a_link(invite: Any, organization: Organization) -> None:
    invite(" Ben@Example.ORG ", "admin")
    assert (invitations.send_due_invitations(), invitations.send_due_invitations()) == (1, 0)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([ADDRESS], "Join Northern Clinic on Helios")
    assert "ada@example.org invites you to join Northern Clinic on Helios as admin." in sent.body
    found = invitations.invitation_of(mailed_token())
    assert found is not None
    assert (found.organization, found.email, found.role) == (organization, ADDRESS, "admin")
    assert timedelta(days=6, hours=23) < found.expires_at - timezone.now() <= timedelta(days=7)
    assert recorded() == [("invitation.created", "admin")]


def test_the_mail_is_rung_for_after_the_commit_and_looked_for_by_beat(
    invite: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        invite()
        assert mail.outbox == []
    assert [callback.args for callback in callbacks] == [(invitations.SEND,)]
    app.finalize()
    assert app.conf.beat_schedule[invitations.SEND]["schedule"] == 60


def test_the_token_is_neither_stored_nor_shown_by_logs(invite: Any) -> None:
    invite()
    invitations.send_due_invitations()
    token = mailed_token()
    assert len(token) == 43
    stored = Invitation.objects.values().get()
    assert token not in repr(stored)
    assert bytes(stored["token_digest"] or b"") == hashlib.sha256(token.encode()).digest()
    assert redact(f"GET /invitations/{token}?x=1") == "GET /invitations/[redacted]?x=1"


def test_a_mail_that_fails_is_sent_again_with_a_new_token(invite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise smtplib.SMTPServerDisconnected

    invite()
    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        assert invitations.send_due_invitations() == 0
    digest = Invitation.objects.get().token_digest
    assert invitations.send_due_invitations() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=2, seconds=1), tick=False):
        assert invitations.send_due_invitations() == 1
    assert Invitation.objects.get().token_digest != digest


def test_a_mail_is_given_up_after_its_last_try(invite: Any) -> None:
    invite()
    Invitation.objects.update(mail_tries=invitations.MAX_TRIES)
    assert invitations.send_due_invitations() == 0


def test_inviting_again_sends_a_new_link_and_ends_the_old_one(invite: Any) -> None:
    invite()
    invitations.send_due_invitations()
    old = mailed_token()
    invite(role="admin")
    invitations.send_due_invitations()
    assert invitations.invitation_of(old) is None
    found = invitations.invitation_of(mailed_token())
    assert found is not None
    assert found.role == "admin"
    assert [action for action, _ in recorded()] == ["invitation.created", "invitation.withdrawn", "invitation.created"]


def test_the_database_keeps_one_open_invitation_of_an_address(invite: Any, organization: Organization) -> None:
    first = invite()
    again = {"organization": organization, "role": "member", "expires_at": timezone.now()}
    for email in (ADDRESS, "Upper@example.org"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Invitation.objects.create(email=email, **again)
    withdraw_invitation(actor=SYSTEM, invitation_id=first.id)
    Invitation.objects.create(email=ADDRESS, **again)


@pytest.mark.parametrize(
    "email", ["", "nonsense", "a@b", f"{'a' * 250}@example.org", "a\x00@example.org", "a@b.org, c@d.org"]
)
def test_an_address_that_is_none_is_refused(invite: Any, email: str) -> None:
    with pytest.raises(ValidationError) as refused:
        invite(email)
    assert list(refused.value.message_dict) == ["email"]
    assert not Invitation.objects.exists()


def test_an_unknown_role_a_member_and_a_suspended_organisation_are_refused(
    invite: Any, organization: Organization
) -> None:
    with pytest.raises(ValidationError, match="Choose admin or member"):
        invite(role="owner")
    with pytest.raises(ValidationError, match="member already"):
        invite("ADA@example.org")
    Organization.objects.update(is_active=False)
    with pytest.raises(ValidationError, match="suspended"):
        invite()
    assert recorded() == []


def test_an_organisation_has_a_bounded_number_of_open_invitations(invite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MAX_OPEN", 2)
    invite("a@example.org")
    invite("b@example.org")
    with pytest.raises(ValidationError, match="has 2 open invitations"):
        invite("c@example.org")
    invite("b@example.org")
    Invitation.objects.filter(email="a@example.org").update(expires_at=timezone.now())
    invite("c@example.org")


def test_accepting_makes_a_member_with_the_invited_role_once(
    invite: Any, organization: Organization, ben: User
) -> None:
    invitation = invite(role="admin")
    membership = accept_invitation(actor=by_user(ben), user=ben, invitation=invitation)
    assert (membership.organization, membership.user, membership.role) == (organization, ben, "admin")
    assert recorded()[1:] == [("invitation.accepted", "admin"), ("membership.created", "admin")]
    membership.delete()
    with pytest.raises(CannotAccept, match="used already"):
        accept_invitation(actor=by_user(ben), user=ben, invitation=invitation)
    assert not withdraw_invitation(actor=SYSTEM, invitation_id=invitation.id)


def test_who_became_a_member_meanwhile_keeps_the_role(invite: Any, organization: Organization, ben: User) -> None:
    invitation = invite(role="admin")
    Membership.objects.create(organization=organization, user=ben, role="member")
    assert accept_invitation(actor=by_user(ben), user=ben, invitation=invitation).role == "member"


def test_only_the_invited_address_accepts(invite: Any, organization: Organization) -> None:
    eve = User.objects.create_user("eve@example.org")
    with pytest.raises(CannotAccept, match="another e-mail address"):
        accept_invitation(actor=by_user(eve), user=eve, invitation=invite())
    assert not Membership.objects.filter(user=eve).exists()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda one: withdraw_invitation(actor=SYSTEM, invitation_id=one.id), "withdrawn"),
        (lambda one: Invitation.objects.update(expires_at=timezone.now()), "expired"),
        (lambda one: Organization.objects.update(is_active=False), "suspended"),
    ],
)
def test_an_invitation_that_ended_is_found_by_nobody_and_refused(
    invite: Any, ben: User, spoil: Callable[[Invitation], Any], why: str
) -> None:
    invitation = invite()
    invitations.send_due_invitations()
    session = SessionStore()
    session[invitations.INVITATION] = str(invitation.id)
    assert invitations.invitation_of(mailed_token()) == invitations.pending_invitation(session) == invitation
    spoil(invitation)
    assert invitations.invitation_of(mailed_token()) is None
    assert invitations.pending_invitation(session) is None
    with pytest.raises(CannotAccept, match=why):
        accept_invitation(actor=by_user(ben), user=ben, invitation=invitation)
    assert not Membership.objects.filter(user=ben).exists()


def test_an_ended_invitation_is_not_mailed(invite: Any) -> None:
    withdraw_invitation(actor=SYSTEM, invitation_id=invite().id)
    assert invitations.send_due_invitations() == 0


def test_a_session_without_a_link_has_no_invitation() -> None:
    assert invitations.pending_invitation(SessionStore()) is None
    assert invitations.invitation_of("x" * 5000) is None

"""Inviting people into an organisation: the writes, each with its audit row, the mails, and who holds a link.

A row waits until its mail is sent; beat looks for those, so that neither a lost message of the broker nor a mail
server that is away loses one.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta

import structlog
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import Invitation, Membership, Organization, User
from apps.accounts.services import MAX_EMAIL_CHARS, add_member
from helios_site.bell import ring_on_commit

log = structlog.get_logger(__name__)

SEND = "helios.housekeeping.send_invitations"
INVITATION = "invitation_id"  # in the session: the invitation whose mailed link was opened in it
LIFETIME = timedelta(days=7)
MAX_OPEN = 100  # of an organisation: nobody mails the world from here
MAX_TRIES = 10  # of a mail; the last about 17 hours after the first


class CannotAccept(Exception):
    """The invitation is not for this user, or not valid any more; the text says which, for the reader of a page."""


def open_invitations() -> QuerySet[Invitation]:
    """Those that can still be accepted."""
    return Invitation.objects.select_related("organization").filter(
        accepted_at__isnull=True,
        withdrawn_at__isnull=True,
        expires_at__gt=timezone.now(),
        organization__is_active=True,
    )


def pending_invitation(session: SessionBase) -> Invitation | None:
    """The invitation whose mailed link was opened in this session, if it can still be accepted."""
    invitation_id = session.get(INVITATION)
    return open_invitations().filter(id=invitation_id).first() if invitation_id else None


def invitation_of(token: str) -> Invitation | None:
    """The invitation of a mailed token, if it can still be accepted."""
    return open_invitations().filter(token_digest=_digest(token)).first()


@transaction.atomic
def invite_member(
    *, actor: audit.Actor, organization: Organization, email: str, role: str, invited_by: User | None = None
) -> Invitation:
    """Mail a link to `email` with which its reader joins as `role`. An invitation of that address which is still open
    is withdrawn: the newest link alone is valid.

    Raises ValidationError, by field, for an address that is none or a member's, an unknown role, an organisation that
    is switched off or has `MAX_OPEN` open invitations.
    """
    email = _clean_email(email)
    if role not in Membership.Role.values:
        raise ValidationError({"role": "Choose admin or member."})
    organization = Organization.objects.select_for_update(no_key=True).get(id=organization.id)
    if not organization.is_active:
        raise ValidationError("The organisation is suspended. Nobody can be invited to it now.")
    if Membership.objects.filter(organization=organization, user__email=email).exists():
        raise ValidationError({"email": "The person with this address is a member already."})
    for earlier in _unended(organization).filter(email=email).select_for_update(no_key=True):
        _withdraw(earlier, actor)
    if _unended(organization).filter(expires_at__gt=timezone.now()).count() >= MAX_OPEN:
        raise ValidationError(f"The organisation has {MAX_OPEN} open invitations. Withdraw one first.")
    invitation = Invitation.objects.create(
        organization=organization,
        email=email,
        role=role,
        invited_by=invited_by,
        expires_at=timezone.now() + LIFETIME,
    )
    _record("invitation.created", actor, invitation, reason=role)
    ring_on_commit(SEND)
    return invitation


@transaction.atomic
def withdraw_invitation(*, actor: audit.Actor, invitation_id: uuid.UUID) -> bool:
    """End an invitation that was not accepted; whether this call did. Raises Invitation.DoesNotExist."""
    invitation = Invitation.objects.select_for_update(no_key=True).get(id=invitation_id)
    if invitation.accepted_at is not None or invitation.withdrawn_at is not None:
        return False
    _withdraw(invitation, actor)
    return True


@transaction.atomic
def accept_invitation(*, actor: audit.Actor, user: User, invitation: Invitation) -> Membership:
    """Make `user` a member as `invitation` says; who is one already keeps the role. An invitation serves once.

    Raises CannotAccept.
    """
    organization = Organization.objects.select_for_update(no_key=True).get(id=invitation.organization_id)
    # Nobody goes on with what they have read before the lock.
    invitation = Invitation.objects.select_for_update(no_key=True).get(id=invitation.id)
    if invitation.email != user.email:
        raise CannotAccept("This invitation is for another e-mail address.")
    if invitation.withdrawn_at is not None:
        raise CannotAccept("This invitation was withdrawn.")
    if invitation.accepted_at is not None:
        raise CannotAccept("This invitation was used already.")
    if invitation.expires_at <= timezone.now():
        raise CannotAccept("This invitation has expired.")
    if not organization.is_active:
        raise CannotAccept("The organisation is suspended. Nobody can join it now.")
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    _record("invitation.accepted", actor, invitation, reason=invitation.role)
    role = Membership.Role(invitation.role)
    return add_member(actor=actor, organization=organization, user=user, role=role)[0]


def send_due_invitations() -> int:
    """Mail the links that are due; how many were sent. Each try makes a new token, so that none is ever stored.

    At least once: a crash between the mail server's answer and the commit sends a second mail, whose link is valid.
    """
    sent = 0
    while True:
        with transaction.atomic():
            due = open_invitations().filter(mailed_at__isnull=True, mail_tries__lt=MAX_TRIES)
            due = due.filter(mail_due_at__lte=timezone.now()).order_by("mail_due_at", "id")
            invitation = due.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
            if invitation is None:
                return sent
            sent += _mail(invitation)


def _mail(invitation: Invitation) -> bool:
    token = secrets.token_urlsafe(32)
    invitation.token_digest = _digest(token)
    invitation.mail_tries += 1
    try:
        _send(invitation, token)
        invitation.mailed_at = timezone.now()
    except OSError as error:  # of which every fault of smtplib is one
        log.warning("mail_not_sent", invitation_id=str(invitation.id), error=type(error).__name__)
        invitation.mail_due_at = timezone.now() + timedelta(minutes=2**invitation.mail_tries)
    invitation.save(update_fields=["token_digest", "mail_tries", "mailed_at", "mail_due_at"])
    return invitation.mailed_at is not None


def _send(invitation: Invitation, token: str) -> None:
    context = {
        "inviter": invitation.invited_by,
        "organization": invitation.organization,
        "role": invitation.get_role_display().lower(),
        "url": f"{settings.HELIOS_PUBLIC_BASE_URL}/invitations/{token}",
        "expires_at": invitation.expires_at,
    }
    body = render_to_string("emails/invitation.txt", context)
    mail.EmailMessage(f"Join {invitation.organization.name} on Helios", body, to=[invitation.email]).send()


def _clean_email(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
        MaxLengthValidator(MAX_EMAIL_CHARS)(email)
    except ValidationError as error:
        raise ValidationError({"email": error.messages}) from None
    return email


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _unended(organization: Organization) -> QuerySet[Invitation]:
    return Invitation.objects.filter(organization=organization, accepted_at__isnull=True, withdrawn_at__isnull=True)


def _withdraw(invitation: Invitation, actor: audit.Actor) -> None:
    invitation.withdrawn_at = timezone.now()
    invitation.save(update_fields=["withdrawn_at"])
    _record("invitation.withdrawn", actor, invitation)


def _record(action: str, actor: audit.Actor, invitation: Invitation, *, reason: str = "") -> None:
    audit.record(
        action,
        actor=actor,
        organization_id=invitation.organization_id,
        object_type="invitation",
        object_id=invitation.id,
        reason=reason,
    )

"""Signing up: the writes, each with its audit rows.

Who signs up without an invitation names an organisation, which is opened once the e-mail address is verified. Before
that nobody holds its name, so that a second sign-up cannot find out by it whether the address of a first one was new.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts import audit
from apps.accounts.invitations import accept_invitation
from apps.accounts.models import Invitation, Membership, Organization, User
from apps.accounts.services import add_member, clean_organization_name, find_or_create_organization

TAKEN = "There is an organisation of this name already. Choose another name, or ask its admins to invite you."


def clean_new_organization_name(name: str) -> str:
    """The name as it is stored. Raises ValidationError for one that is unusable or taken."""
    name = clean_organization_name(name)
    if Organization.objects.filter(name=name).exists():
        raise ValidationError(TAKEN, code="taken")
    return name


@transaction.atomic
def sign_up(*, email: str, password: str, organization_name: str) -> User:
    """A user whose e-mail address is to be verified. Raises IntegrityError for an address that is taken."""
    user = User.objects.create_user(email, password, wanted_organization=organization_name)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    _record("user.signed_up", user)
    return user


@transaction.atomic
def sign_up_invited(*, invitation: Invitation, password: str) -> User:
    """A user who joins as `invitation` says. The address is verified, as its owner alone could read the link.

    Raises CannotAccept, and IntegrityError for an address that has an account.
    """
    user = User.objects.create_user(invitation.email, password)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    _record("user.signed_up", user)
    _record("user.email_verified", user)
    accept_invitation(actor=audit.by_user(user), user=user, invitation=invitation)
    return user


@transaction.atomic
def open_wanted_organization(*, user: User, name: str) -> Membership | None:
    """The organisation that `user` signed up for, under `name`, with the user as its admin; None without such a wish.

    Raises ValidationError for a name that is unusable or was taken meanwhile.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not user.wanted_organization:
        return None
    user.wanted_organization = ""
    user.save(update_fields=["wanted_organization"])
    actor = audit.by_user(user)
    organization, is_new = find_or_create_organization(actor=actor, name=name)
    if not is_new:
        raise ValidationError(TAKEN, code="taken")
    return add_member(actor=actor, organization=organization, user=user, role=Membership.Role.ADMIN)[0]


def _record(action: str, user: User) -> None:
    audit.record(action, actor=audit.by_user(user), organization_id=None, object_type="user", object_id=user.pk)

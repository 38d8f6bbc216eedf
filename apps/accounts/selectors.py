"""Reads of who belongs where."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.db.models import F

from apps.accounts.models import Membership, Organization, User
from helios_site.zones import zone_named

CURRENT_ORGANIZATION = "organization_id"  # in the session: the organisation that its user works for now


class Workplace(NamedTuple):
    """What a signed-in user works for now, and what else they could choose."""

    current: Membership | None
    choices: Sequence[Membership]  # by the names of the organisations


def workplace(user: User, session: SessionBase) -> Workplace:
    """The membership that a signed-in user acts under is the one chosen in the session, else the one chosen last in
    another, else the oldest.

    An organisation that is suspended, or that the user has left, does not count. One query.
    """
    memberships = list(
        Membership.objects.select_related("organization")
        .filter(user=user, organization__is_active=True)
        .order_by(F("chosen_at").desc(nulls_last=True), "created_at", "id")
    )
    chosen = session.get(CURRENT_ORGANIZATION)
    current = next((one for one in memberships if str(one.organization_id) == chosen), next(iter(memberships), None))
    return Workplace(current, sorted(memberships, key=lambda one: one.organization.name.casefold()))


def current_membership(user: User, session: SessionBase) -> Membership | None:
    return workplace(user, session).current


def why_no_organization(user: User) -> str:
    """What to tell a user who has no current membership."""
    off = Organization.objects.filter(memberships__user=user, is_active=False).order_by("name")
    closing = ", ".join(off.filter(closing_at__isnull=False).values_list("name", flat=True)[:5])
    if closing:
        return f"Closing: {closing}. Until its data is erased, an admin of it can open it again at /organization/close."
    names = ", ".join(off.values_list("name", flat=True)[:5])
    if names:
        return f"Suspended: {names}. Until the operator of this installation ends that, nobody works there."
    return "You do not belong to an organisation that is switched on."


def has_other_admin(membership: Membership) -> bool:
    """Whether the organisation keeps an admin who can sign in without this member."""
    others = Membership.objects.filter(
        organization_id=membership.organization_id, role=Membership.Role.ADMIN, user__is_active=True
    )
    return others.exclude(pk=membership.pk).exists()


def only_organization_id(user: User) -> uuid.UUID | None:
    """The organisation of who belongs to exactly one; None for everybody else."""
    ids = list(Membership.objects.filter(user=user).values_list("organization_id", flat=True)[:2])
    return ids[0] if len(ids) == 1 else None


def has_verified_email(user: User) -> bool:
    """Whether the user has shown that mails to their present address reach them."""
    return bool(EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists())


def has_totp(user: User) -> bool:
    """Whether signing in asks this user for a code of an authenticator app."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def membership_in(user: User, organization_id: uuid.UUID) -> Membership | None:
    """The user's membership of that organisation, whichever is the session's current one; None where it is switched
    off."""
    mine = Membership.objects.filter(user=user, organization_id=organization_id, organization__is_active=True)
    return mine.first()


def zone_of(organization: Organization) -> ZoneInfo:
    """By whose clocks the organisation's days begin on our pages: its own, else those of the installation."""
    return zone_named(organization.time_zone) or settings.HEALOS_DAY_TIMEZONE


def organization_named(name: str) -> Organization:
    """The organisation of that exact name. Raises ValidationError."""
    found = Organization.objects.filter(name=name.strip()).first()
    if found is None:
        raise ValidationError(f"There is no organisation {name.strip()!r}.")
    return found

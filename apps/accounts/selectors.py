"""Reads of who belongs where."""

from __future__ import annotations

import uuid

from allauth.mfa.models import Authenticator
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError

from apps.accounts.models import Membership, Organization, User

CURRENT_ORGANIZATION = "organization_id"  # in the session: the organisation that its user works for now


def current_membership(user: User, session: SessionBase) -> Membership | None:
    """The membership that a signed-in user acts under: the one chosen in the session, else the oldest.

    An organisation that is switched off, or that the user has left, does not count. One query.
    """
    memberships = list(
        Membership.objects.select_related("organization")
        .filter(user=user, organization__is_active=True)
        .order_by("created_at", "id")
    )
    chosen = session.get(CURRENT_ORGANIZATION)
    return next((one for one in memberships if str(one.organization_id) == chosen), next(iter(memberships), None))


def only_organization_id(user: User) -> uuid.UUID | None:
    """The organisation of who belongs to exactly one; None for everybody else."""
    ids = list(Membership.objects.filter(user=user).values_list("organization_id", flat=True)[:2])
    return ids[0] if len(ids) == 1 else None


def has_totp(user: User) -> bool:
    """Whether signing in asks this user for a code of an authenticator app."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def organization_named(name: str) -> Organization:
    """The organisation of that exact name. Raises ValidationError."""
    found = Organization.objects.filter(name=name.strip()).first()
    if found is None:
        raise ValidationError(f"There is no organisation {name.strip()!r}.")
    return found

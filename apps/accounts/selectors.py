"""Reads of who belongs where."""

from __future__ import annotations

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


def organization_named(name: str) -> Organization:
    """The organisation of that exact name. Raises ValidationError."""
    found = Organization.objects.filter(name=name.strip()).first()
    if found is None:
        raise ValidationError(f"There is no organisation {name.strip()!r}.")
    return found

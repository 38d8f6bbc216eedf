"""Changing and ending memberships. An organisation that has an admin keeps one."""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import Membership, Organization
from apps.accounts.selectors import CURRENT_ORGANIZATION, has_other_admin


class LastAdmin(Exception):
    """Without this member nobody could look after the organisation; the text says what to do first."""

    def __init__(self) -> None:
        super().__init__("An organisation needs an admin. Make somebody else its admin first.")


@transaction.atomic
def change_role(*, actor: audit.Actor, membership_id: int, role: str) -> Membership:
    """What the member may do, from the next request on.

    Raises Membership.DoesNotExist, ValidationError for an unknown role, LastAdmin.
    """
    if role not in Membership.Role.values:
        raise ValidationError("Choose admin or member.")
    membership = _locked(membership_id)
    if membership.role == role:
        return membership
    _require_another_admin(membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    _record("membership.changed", actor, membership, reason=f"user {membership.user_id}: {before} to {role}")
    return membership


def choose(*, membership: Membership, session: SessionBase) -> None:
    """Let the user work for this organisation from now on, in this session and in those that begin later."""
    Membership.objects.filter(pk=membership.pk).update(chosen_at=timezone.now())
    session[CURRENT_ORGANIZATION] = str(membership.organization_id)


@transaction.atomic
def end_membership(*, actor: audit.Actor, membership_id: int) -> None:
    """The person has nothing to do with the organisation from the next request on. Keys that they made stay: those
    belong to the organisation. Raises Membership.DoesNotExist, LastAdmin."""
    membership = _locked(membership_id)
    _require_another_admin(membership)
    _record("membership.removed", actor, membership, reason=f"user {membership.user_id}: {membership.role}")
    membership.delete()


def _locked(membership_id: int) -> Membership:
    """The membership as it is once everybody else who changes one of the same organisation has ended."""
    organization = Organization.objects.filter(memberships__id=membership_id)
    organization.select_for_update(no_key=True, of=("self",)).first()
    return Membership.objects.get(id=membership_id)


def _require_another_admin(membership: Membership) -> None:
    if membership.role == Membership.Role.ADMIN and not has_other_admin(membership):
        raise LastAdmin


def _record(action: str, actor: audit.Actor, membership: Membership, *, reason: str) -> None:
    audit.record(
        action,
        actor=actor,
        organization_id=membership.organization_id,
        object_type="membership",
        object_id=membership.pk,
        reason=reason,
    )

"""Every write to organisations and people, each in one transaction with its audit row."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import Membership, Organization, User

MAX_ORGANIZATION_NAME_CHARS = 200
MAX_EMAIL_CHARS = 254


def clean_organization_name(name: str) -> str:
    """The name as it is stored. Raises ValidationError for an unusable one."""
    name = name.strip()
    if not name or len(name) > MAX_ORGANIZATION_NAME_CHARS or not name.isprintable():
        raise ValidationError(f"An organisation's name has 1 to {MAX_ORGANIZATION_NAME_CHARS} printable characters.")
    return name


@transaction.atomic
def find_or_create_organization(*, actor: audit.Actor, name: str) -> tuple[Organization, bool]:
    """The organisation of that exact name, and whether it is new. Raises ValidationError for an unusable name."""
    organization, is_new = Organization.objects.get_or_create(name=clean_organization_name(name))
    if is_new:
        audit.record(
            "organization.created",
            actor=actor,
            organization_id=organization.id,
            object_type="organization",
            object_id=organization.id,
        )
    return organization, is_new


@transaction.atomic
def change_plan(*, actor: audit.Actor, organization_id: UUID, plan: str) -> None:
    """Put the organisation on another of `Organization.Plan`; its next request is judged by the new limits.

    Raises Organization.DoesNotExist.
    """
    organization = Organization.objects.select_for_update(no_key=True).get(id=organization_id)
    before, organization.plan = organization.plan, plan
    if plan == before:
        return
    organization.save(update_fields=["plan"])
    audit.record(
        "organization.plan_changed",
        actor=actor,
        organization_id=organization_id,
        object_type="organization",
        object_id=organization_id,
        reason=f"from {before} to {plan}",
    )


@transaction.atomic
def add_member(
    *, actor: audit.Actor, organization: Organization, user: User, role: Membership.Role
) -> tuple[Membership, bool]:
    """The user's membership of the organisation, and whether it is new; one that exists keeps its role."""
    membership, is_new = Membership.objects.get_or_create(organization=organization, user=user, defaults={"role": role})
    if is_new:
        audit.record(
            "membership.created",
            actor=actor,
            organization_id=organization.id,
            object_type="membership",
            object_id=membership.pk,
            reason=role,
        )
    return membership, is_new


@transaction.atomic
def create_staff(*, actor: audit.Actor, email: str, groups: Sequence[str] = ()) -> tuple[User, str]:
    """A staff user with a verified address and what the groups allow, or every permission without any, and the
    generated password. Raises ValidationError for an address that is none or is taken, and for an unknown group."""
    email = email.strip().lower()
    validate_email(email)
    MaxLengthValidator(MAX_EMAIL_CHARS)(email)
    if User.objects.filter(email=email).exists():
        raise ValidationError(f"There is a user {email} already; --reset gives a new password.")
    password = _password()
    user = User.objects.create_user(email, password)
    rights = _make_staff(user, groups)
    _verify(user)
    _record("user.created", actor, user, reason=f"staff {rights}")
    return user, password


@transaction.atomic
def reset_staff(*, actor: audit.Actor, email: str, groups: Sequence[str] = ()) -> tuple[User, str]:
    """Make a user (again) an active staff user with what the groups allow and no more, or every permission without
    any, and a new generated password, which ends the user's sessions. An authenticator app is forgotten, as it may be
    what was lost. Raises User.DoesNotExist; ValidationError for an unknown group."""
    user = User.objects.select_for_update().get(email=email.strip().lower())
    password = _password()
    user.is_active = True
    user.set_password(password)
    rights = _make_staff(user, groups)
    _verify(user)
    Authenticator.objects.filter(user=user).delete()
    _record("user.reset", actor, user, reason=f"staff {rights}, new password")
    return user, password


def _make_staff(user: User, groups: Sequence[str]) -> str:
    """Save the user as staff with exactly these rights; says them in words."""
    found = list(Group.objects.filter(name__in=groups).order_by("name"))
    unknown = set(groups) - {group.name for group in found}
    if unknown:
        known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
        raise ValidationError(f"There is no group {', '.join(sorted(unknown))}. The groups are {known}.")
    user.is_staff, user.is_superuser = True, not found
    user.save()
    user.groups.set(found)
    user.user_permissions.clear()
    return "in " + ", ".join(group.name for group in found) if found else "with every permission"


def _verify(user: User) -> None:
    """Take the address for the user's own, on the word of whoever runs this installation."""
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)


def _password() -> str:
    return secrets.token_urlsafe(18)  # 144 random bits in 24 characters


def _record(action: str, actor: audit.Actor, user: User, *, reason: str) -> None:
    audit.record(action, actor=actor, organization_id=None, object_type="user", object_id=user.id, reason=reason)

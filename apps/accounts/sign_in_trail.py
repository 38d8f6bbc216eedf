"""The audit rows of signing in and of an account's security. django-allauth tells of most by signals alone."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_out

from apps.accounts import audit
from apps.accounts.models import User
from apps.accounts.selectors import only_organization_id


def record(action: str, user: User, *, reason: str = "") -> None:
    """What `user` did with the own account: in the trail of the only organisation, else in the installation's."""
    audit.record(
        action,
        actor=audit.by_user(user),
        organization_id=only_organization_id(user),
        object_type="user",
        object_id=user.pk,
        reason=reason,
    )


def record_failure(email: str) -> None:
    """A wrong password. What was typed is not kept; one query, whether the address is somebody's or nobody's."""
    rows = list(User.objects.filter(email=email.lower()).values_list("pk", "memberships__organization_id")[:2])
    organization_id: uuid.UUID | None = rows[0][1] if len(rows) == 1 else None
    _record_failure(rows[0][0] if rows else "", organization_id, "password")


def _record_failure(user_id: object, organization_id: uuid.UUID | None, reason: str) -> None:
    audit.record(
        "user.sign_in_failed",
        actor=audit.SYSTEM,
        organization_id=organization_id,
        object_type="user",
        object_id=user_id,
        outcome="failed",
        reason=reason,
    )


def connect() -> None:
    """Listen to what django-allauth tells."""
    account.user_logged_in.connect(_signed_in)
    user_logged_out.connect(_signed_out)
    account.password_changed.connect(_password_changed)
    account.password_set.connect(_password_changed)
    account.password_reset.connect(_password_reset)
    account.email_changed.connect(_email_changed)
    mfa.authenticator_added.connect(_authenticator_made)
    mfa.authenticator_reset.connect(_authenticator_made)
    mfa.authenticator_removed.connect(_authenticator_removed)
    mfa.authentication_failed.connect(_code_failed)


def _signed_in(user: User, **_: Any) -> None:
    record("user.signed_in", user)


def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        record("user.signed_out", user)


def _password_changed(user: User, **_: Any) -> None:
    record("user.password_changed", user)


def _password_reset(user: User, **_: Any) -> None:
    record("user.password_reset", user)


def _email_changed(user: User, from_email_address: EmailAddress | None, **_: Any) -> None:
    if from_email_address is not None:  # else it is the first one, of a sign-up
        record("user.email_changed", user)


def _authenticator_made(user: User, authenticator: Authenticator, **_: Any) -> None:
    is_totp = authenticator.type == Authenticator.Type.TOTP
    record("user.totp_added" if is_totp else "user.recovery_codes_made", user)


def _authenticator_removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:  # the recovery codes go with it
        record("user.totp_removed", user)


def _code_failed(user: User, **_: Any) -> None:
    _record_failure(user.pk, only_organization_id(user), "code")

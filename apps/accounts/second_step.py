"""What turning two-step sign-in on means for who is signed in already."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from apps.accounts.models import User


def connect() -> None:
    """Listen to what django-allauth tells."""
    authenticator_added.connect(_end_other_sessions)


def _end_other_sessions(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    """They began with a password alone, perhaps one that somebody stole; staff would have the admin by them."""
    if authenticator.type == Authenticator.Type.TOTP:
        others = UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key)
        get_adapter().end_sessions(list(others))

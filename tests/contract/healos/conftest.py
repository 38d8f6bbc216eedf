"""Sessions of people of two organisations, which send CSRF tokens as a page of ours would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client

from apps.accounts.models import Membership, Organization, User


def session_of(user: User) -> Client:
    """A client that is signed in, enforces CSRF, and sends the token with every call."""
    token = _get_new_csrf_string()
    client = Client(enforce_csrf_checks=True, headers={"x-csrftoken": token})
    client.force_login(user)
    client.cookies["csrftoken"] = token
    return client


SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _lasting_sessions(settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 20 * 366 * 86_400  # tests travel years ahead


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """`sign_in(organization, role)` → the client of a new person."""
    people: list[User] = []

    def signed_in(organization: Organization | None, role: str = "admin", **fields: Any) -> Client:
        people.append(User.objects.create_user(f"person-{len(people)}@example.org", **fields))
        if organization is not None:
            Membership.objects.create(organization=organization, user=people[-1], role=role)
        return session_of(people[-1])

    return signed_in


@pytest.fixture
def admin(sign_in: SignIn, organization: Organization) -> Client:
    return sign_in(organization)


@pytest.fixture
def foreign_admin(sign_in: SignIn, other_organization: Organization) -> Client:
    return sign_in(other_organization)

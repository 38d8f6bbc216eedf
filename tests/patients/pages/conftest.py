"""People at the pages of patients."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.patients.models import Patient
from tests.contract.healos.notes import make_patient


@pytest.fixture
def doctor(organization: Organization) -> User:
    """A member of `organization` who is no admin."""
    user = User.objects.create_user("doctor@example.org", name="Dr Amara Osei")
    Membership.objects.create(organization=organization, user=user, role="member")
    return user


@pytest.fixture
def member(doctor: User) -> Client:
    """The browser in which `doctor` is signed in."""
    client = Client()
    client.force_login(doctor)
    return client


@pytest.fixture
def stranger(other_organization: Organization) -> Client:
    """A browser of an admin of another organisation."""
    user = User.objects.create_user("stranger@example.org")
    Membership.objects.create(organization=other_organization, user=user, role="admin")
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def maria(organization: Organization) -> Patient:
    return make_patient(organization)

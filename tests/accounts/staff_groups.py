"""The groups of staff as the migrations make them: a test that truncated the tables took them away."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.contrib.auth.models import Group

from apps.accounts.models import User
from tests.conftest import with_totp

_MIGRATION = import_module("apps.accounts.migrations.0009_staff_groups")
_OF_PATIENTS = import_module("apps.patients.migrations.0006_staff_groups")
GROUPS = tuple(_MIGRATION.GROUPS)


def make_groups() -> None:
    _MIGRATION.make_groups(apps, None)
    _OF_PATIENTS.allow(apps, None)


def staff_in(*groups: str) -> User:
    """A member of staff who is in these groups alone."""
    make_groups()
    user = User.objects.create_user(f"{'-'.join(groups) or 'none'}@example.org", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return with_totp(user)

"""Roles and the end of memberships: an organisation that has an admin keeps one, whoever hurries."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from apps.accounts import members
from apps.accounts.audit import SYSTEM
from apps.accounts.members import LastAdmin
from apps.accounts.models import AuditEvent, Membership, Organization, User

Join = Callable[..., Membership]


@pytest.fixture
def join(organization: Organization) -> Join:
    def join(name: str, role: str = "admin", is_active: bool = True) -> Membership:
        user = User.objects.create_user(f"{name}@example.org", is_active=is_active)
        return Membership.objects.create(organization=organization, user=user, role=role)

    return join


def recorded() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("action", "reason"))


def test_a_role_is_changed_on_the_record_once(join: Join, organization: Organization) -> None:
    ben = join("ben", "member")
    for _ in range(2):
        assert members.change_role(actor=SYSTEM, membership_id=ben.pk, role="admin").role == "admin"
    assert recorded() == [("membership.changed", f"user {ben.user_id}: member to admin")]
    assert AuditEvent.objects.get().organization_id == organization.pk


def test_an_unknown_role_and_an_unknown_member_change_nothing(join: Join) -> None:
    with pytest.raises(ValidationError):
        members.change_role(actor=SYSTEM, membership_id=join("ben").pk, role="owner")
    for membership_id in (0, 2**70):
        with pytest.raises(Membership.DoesNotExist):
            members.end_membership(actor=SYSTEM, membership_id=membership_id)
    assert recorded() == []


def test_the_last_admin_is_neither_demoted_nor_removed(join: Join) -> None:
    ada, ben = join("ada"), join("ben", "member")
    join("gone", is_active=False)  # who cannot sign in looks after nothing
    with pytest.raises(LastAdmin, match="Make somebody else its admin first"):
        members.change_role(actor=SYSTEM, membership_id=ada.pk, role="member")
    with pytest.raises(LastAdmin):
        members.end_membership(actor=SYSTEM, membership_id=ada.pk)
    assert recorded() == []
    members.change_role(actor=SYSTEM, membership_id=ben.pk, role="admin")
    members.end_membership(actor=SYSTEM, membership_id=ada.pk)
    assert recorded()[1:] == [("membership.removed", f"user {ada.user_id}: admin")]


def test_an_admin_of_another_organisation_does_not_count(join: Join, other_organization: Organization) -> None:
    ada = join("ada")
    eve = User.objects.create_user("eve@example.org")
    Membership.objects.create(organization=other_organization, user=eve, role="admin")
    with pytest.raises(LastAdmin):
        members.end_membership(actor=SYSTEM, membership_id=ada.pk)


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_demote_or_remove_each_other_at_once_leave_one(join: Join) -> None:
    def demote(membership_id: int) -> None:
        members.change_role(actor=SYSTEM, membership_id=membership_id, role="member")

    def remove(membership_id: int) -> None:
        members.end_membership(actor=SYSTEM, membership_id=membership_id)

    for number, acts in enumerate([(demote, demote), (remove, remove), (demote, remove)]):
        Membership.objects.all().delete()
        pair = [join(f"ada{number}").pk, join(f"ben{number}").pk]
        start = threading.Barrier(2)

        def at_once(act: Callable[[int], None], membership_id: int, start: threading.Barrier = start) -> bool:
            try:
                start.wait(timeout=10)
                act(membership_id)
            except LastAdmin:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(at_once, acts, pair)) == [False, True]
        assert Membership.objects.filter(role="admin").count() == 1

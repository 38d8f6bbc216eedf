from __future__ import annotations

from django.test import TestCase

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.accounts.services import add_member


class AddMemberTests(TestCase):
    def test_a_member_joins_once_and_keeps_the_role(self):
        organization = Organization.objects.create(name="Northern Clinic")
        user = User.objects.create_user("ada@example.org", "a long password for tests")
        first, is_new = add_member(actor=SYSTEM, organization=organization, user=user, role=Membership.Role.ADMIN)
        again, is_new_again = add_member(
            actor=SYSTEM, organization=organization, user=user, role=Membership.Role.MEMBER
        )
        assert (is_new, is_new_again) == (True, False)
        assert again == first
        assert again.role == "admin"
        events = AuditEvent.objects.filter(action="membership.created", object_id=str(first.pk))
        assert list(events.values_list("organization_id", "reason")) == [(organization.id, "admin")]

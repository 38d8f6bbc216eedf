"""Organisations, people and the audit trail in the staff's admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts import audit
from apps.accounts.models import AuditEvent, Membership, Organization, User
from tests.conftest import with_totp

pytestmark = pytest.mark.django_db
ORGANIZATIONS = "/admin/accounts/organization/"
USERS = "/admin/accounts/user/"
AUDIT = "/admin/accounts/auditevent/"


def text(response: Any) -> str:
    return str(response.content.decode())


def recorded() -> list[tuple[str, str]]:
    """What was done; the pages that were opened on the way are left out."""
    events = AuditEvent.objects.exclude(action__endswith="viewed").order_by("id")
    return list(events.values_list("action", "reason"))


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        ORGANIZATIONS,
        f"{ORGANIZATIONS}add/",
        f"{ORGANIZATIONS}?q=north",
        USERS,
        f"{USERS}add/",
        f"{USERS}?q=staff",
        "/admin/accounts/membership/",
        "/admin/accounts/membership/add/",
        "/admin/accounts/membership/?q=x",
        "/admin/accounts/invitation/",
        "/admin/accounts/invitation/?q=x",
        AUDIT,
        f"{AUDIT}?q=north",
        f"{AUDIT}?q=00000000-0000-4000-8000-000000000000",
        "/admin/password_change/",
        "/admin/login/",
    ],
)
def test_every_page_opens(admin: Client, organization: Organization, path: str) -> None:
    audit.record("test.done", actor=audit.SYSTEM, organization_id=organization.pk, object_id="x")
    assert admin.get(path, follow=True).status_code == 200


def test_changing_an_organisation_is_recorded(admin: Client, staff: User, organization: Organization) -> None:
    page = f"{ORGANIZATIONS}{organization.pk}/change/"
    form = {"name": organization.name, "plan": "free", "helios_lenient_user": "on"}
    assert admin.post(page, form).status_code == 302
    organization.refresh_from_db()
    assert organization.is_active
    event = AuditEvent.objects.get()
    assert (event.action, event.reason, event.organization_id) == (
        "organization.changed",
        "Changed Lenient user values.",
        organization.pk,
    )
    assert (event.actor_type, event.actor_id, event.method, event.path) == ("staff", str(staff.pk), "POST", page)
    history = text(admin.get(f"{ORGANIZATIONS}{organization.pk}/history/"))
    assert "organization.changed" in history
    assert "Changed Lenient user values." in history


def test_suspending_an_organisation_asks_why_and_refuses_its_keys_at_once(
    admin: Client, api: Client, organization: Organization
) -> None:
    page = f"{ORGANIZATIONS}{organization.pk}/suspension/"
    assert page in text(admin.get(f"{ORGANIZATIONS}{organization.pk}/change/"))
    assert "Suspend an organisation" in text(admin.get(page))
    for reason in ("", "  ", "x" * 501, "x\x00y"):
        assert "errorlist" in text(admin.post(page, {"verb": "suspend", "reason": reason}))
    assert api.get("/v1/account").status_code == 200
    for _ in range(2):  # the second changes nothing
        assert admin.post(page, {"verb": "suspend", "reason": "unpaid"}).status_code == 302
    assert api.get("/v1/account").status_code == 401
    assert "Resume an organisation" in text(admin.get(page))
    assert admin.post(page, {"verb": "nonsense", "reason": "x"}).status_code == 200
    admin.post(page, {"verb": "resume", "reason": "paid"})
    assert api.get("/v1/account").status_code == 200
    switched = [(action, why) for action, why in recorded() if action.startswith("organization.")]
    assert switched == [("organization.suspended", "unpaid"), ("organization.resumed", "paid")]


def test_who_may_not_change_organisations_may_not_suspend_one(
    admin: Client, staff: User, organization: Organization
) -> None:
    from django.contrib.auth.models import Permission

    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    staff.user_permissions.set(Permission.objects.filter(codename="view_organization"))
    page = f"{ORGANIZATIONS}{organization.pk}/"
    assert "suspension" not in text(admin.get(f"{page}change/"))
    assert admin.post(f"{page}suspension/", {"verb": "suspend", "reason": "x"}).status_code == 403
    assert admin.get(f"{ORGANIZATIONS}{staff.pk}/suspension/").status_code == 302  # none is there
    organization.refresh_from_db()
    assert organization.is_active


def test_organisations_and_users_cannot_be_deleted(admin: Client, staff: User, organization: Organization) -> None:
    assert admin.post(f"{ORGANIZATIONS}{organization.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"{USERS}{staff.pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_make_a_user_who_can_sign_in(admin: Client) -> None:
    form = {
        "email": "New.Person@Example.org",
        "name": "New Person",
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
    }
    assert admin.post(f"{USERS}add/", form).status_code == 302
    user = User.objects.get(email="new.person@example.org")
    assert user.password.startswith("argon2")
    assert Client().login(username="NEW.person@example.org", password="correct horse battery")
    assert recorded() == [("user.created", "Added.")]


@pytest.mark.parametrize(
    ("email", "password"),
    [("nonsense", "correct horse battery"), ("STAFF@example.org", "correct horse battery"), ("a@b.org", "short")],
)
def test_a_user_with_a_bad_address_or_password_is_not_made(admin: Client, email: str, password: str) -> None:
    form = {"email": email, "name": "", "usable_password": "true", "password1": password, "password2": password}
    assert "errorlist" in text(admin.post(f"{USERS}add/", form))
    assert User.objects.count() == 1


def test_setting_another_password_is_recorded_without_it(admin: Client) -> None:
    user = User.objects.create_user("someone@example.org")
    form = {"usable_password": "true", "password1": "the new long password", "password2": "the new long password"}
    assert admin.post(f"{USERS}{user.pk}/password/", form | {"set-password": "x"}).status_code == 302
    assert Client().login(username="someone@example.org", password="the new long password")
    assert recorded() == [("user.changed", "Changed password.")]


def test_staff_who_may_edit_users_cannot_make_themselves_more(organization: Organization, staff: User) -> None:
    from django.contrib.auth.models import Permission

    limited = with_totp(User.objects.create_user("limited@example.org", is_staff=True))
    limited.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client = Client()
    client.force_login(limited)
    form = {"email": limited.email, "name": "x", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert client.post(f"{USERS}{limited.pk}/change/", form).status_code == 302
    limited.refresh_from_db()
    assert (limited.name, limited.is_superuser) == ("x", False)
    assert client.post(f"{USERS}{staff.pk}/change/", form | {"email": "x@y.org"}).status_code == 403
    form = {"usable_password": "true", "password1": "the new long password", "password2": "the new long password"}
    assert client.post(f"{USERS}{staff.pk}/password/", form | {"set-password": "x"}).status_code == 403


def test_memberships_are_made_changed_and_ended_on_the_record(
    admin: Client, staff: User, organization: Organization
) -> None:
    form = {"organization": str(organization.pk), "user": str(staff.pk), "role": "member"}
    admin.post("/admin/accounts/membership/add/", form)
    membership = Membership.objects.get()
    page = f"/admin/accounts/membership/{membership.pk}"
    admin.post(f"{page}/change/", form | {"role": "admin"})
    for path, answer in (("change/", {"role": "member"}), ("delete/", {"post": "yes"})):
        refused = admin.post(f"{page}/{path}", answer, follow=True)
        assert "Make somebody else its admin first" in text(refused)
    assert Membership.objects.get().role == "admin"
    other = User.objects.create_user("other@example.org")
    Membership.objects.create(organization=organization, user=other, role="admin")
    admin.post(f"{page}/delete/", {"post": "yes"})
    assert Membership.objects.get().user == other
    assert recorded() == [
        ("membership.created", "member"),
        ("membership.changed", f"user {staff.pk}: member to admin"),
        ("membership.removed", f"user {staff.pk}: admin"),
    ]
    assert set(AuditEvent.objects.values_list("organization_id", flat=True)) == {organization.pk}


def test_the_audit_trail_can_be_read_and_searched_but_not_changed(
    admin: Client, organization: Organization, other_organization: Organization
) -> None:
    for one in (organization, other_organization):
        audit.record(
            "model_run.read", actor=audit.SYSTEM, organization_id=one.pk, object_type="model_run", object_id=one.name
        )
    for search in ("northern", str(organization.pk), "Northern Clinic"):
        page = text(admin.get(AUDIT, {"q": search}))
        assert "Northern Clinic" in page, search
        assert "Southern Clinic" not in page, search
    event = AuditEvent.objects.order_by("id")[0]
    assert admin.get(f"{AUDIT}{event.pk}/change/").status_code == 200
    assert admin.post(f"{AUDIT}{event.pk}/change/", {"reason": "forged"}).status_code == 403
    assert admin.post(f"{AUDIT}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin.get(f"{AUDIT}add/").status_code == 403

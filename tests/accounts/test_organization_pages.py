"""The page of an organisation: who sees what, who may do what, and that nothing reaches into another one."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from apps.accounts import organization_pages
from apps.accounts.models import AuditEvent, Invitation, Membership, Organization, User
from helios_site.env import Rate
from tests.pages import INLINE

pytestmark = pytest.mark.django_db
PAGE = "/organization"


@pytest.fixture
def ada(organization: Organization) -> Membership:
    user = User.objects.create_user("ada@example.org", name="Ada")
    return Membership.objects.create(organization=organization, user=user, role="admin")


@pytest.fixture
def ben(organization: Organization) -> Membership:
    return Membership.objects.create(organization=organization, user=User.objects.create_user("ben@example.org"))


@pytest.fixture
def stranger(other_organization: Organization) -> Membership:
    return Membership.objects.create(
        organization=other_organization, user=User.objects.create_user("eve@example.org"), role="admin"
    )


def browser(member: Membership, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(member.user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def recorded() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("action", "reason"))


def test_a_member_sees_the_people_and_none_of_the_forms_of_admins(
    ada: Membership, ben: Membership, stranger: Membership
) -> None:
    page = text(browser(ben).get(PAGE))
    for shown in ("Northern Clinic", "ada@example.org", "Ada", "ben@example.org", "You are a member here"):
        assert shown in page, shown
    assert "The plan is free." in page
    assert "/organization/close" not in page
    assert "eve@example.org" not in page
    assert re.findall(r'action="([^"]*)"', page) == ["/logout", "/logout", "/organization/leave"]


def test_an_admin_sees_the_forms(ada: Membership, ben: Membership) -> None:
    client = browser(ada)
    client.post(f"{PAGE}/invite", {"email": "cy@example.org", "role": "member"})
    page = text(client.get(PAGE))
    assert "A link is on its way to cy@example.org." in page
    assert "not mailed yet" in page
    invitation = Invitation.objects.get()
    assert (invitation.invited_by, invitation.role) == (ada.user, "member")
    assert set(re.findall(r'action="([^"]*)"', page)) == {
        f"/organization/members/{ada.pk}/role",
        f"/organization/members/{ben.pk}/role",
        f"/organization/members/{ben.pk}/remove",
        f"/organization/invitations/{invitation.pk}/withdraw",
        "/organization/invite",
        "/logout",
    }
    assert "last admin" in page
    assert 'href="/organization/close"' in page


def test_the_page_obeys_its_policy_without_inline_code(ada: Membership, ben: Membership) -> None:
    response = browser(ada).get(PAGE)
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert not INLINE.search(text(response))
    assert "no-store" in response["Cache-Control"]


def test_an_admin_changes_roles_removes_renames_and_withdraws(
    ada: Membership, ben: Membership, organization: Organization
) -> None:
    client = browser(ada)
    client.post(f"{PAGE}/members/{ben.pk}/role", {"role": "admin"})
    assert "ben@example.org is an admin now." in text(client.get(PAGE))
    client.post(f"{PAGE}/members/{ben.pk}/remove")
    client.post(f"{PAGE}/rename", {"name": " Northern Hospital "})
    client.post(f"{PAGE}/invite", {"email": "cy@example.org", "role": "admin"})
    client.post(f"{PAGE}/invitations/{Invitation.objects.get().pk}/withdraw")
    client.post(f"{PAGE}/invitations/{Invitation.objects.get().pk}/withdraw")
    assert "It was accepted or withdrawn already." in text(client.get(PAGE))
    organization.refresh_from_db()
    assert organization.name == "Northern Hospital"
    assert recorded() == [
        ("membership.changed", f"user {ben.user_id}: member to admin"),
        ("membership.removed", f"user {ben.user_id}: admin"),
        ("organization.renamed", "Northern Clinic to Northern Hospital"),
        ("invitation.created", "admin"),
        ("invitation.withdrawn", ""),
    ]
    event = AuditEvent.objects.order_by("id")[0]
    assert (event.actor_type, event.actor_id, event.organization_id) == ("user", str(ada.user_id), organization.pk)


def test_who_is_removed_loses_the_organisation_with_the_next_request(ada: Membership, ben: Membership) -> None:
    theirs = browser(ben)
    assert theirs.get(PAGE).status_code == theirs.get("/browse/v1/account").status_code == 200
    browser(ada).post(f"{PAGE}/members/{ben.pk}/remove")
    assert theirs.get(PAGE).status_code == theirs.get("/browse/v1/account").status_code == 403
    assert "do not belong to an organisation" in text(theirs.get(PAGE))


def test_who_is_demoted_loses_the_rights_of_admins_with_the_next_request(ada: Membership, ben: Membership) -> None:
    Membership.objects.filter(pk=ben.pk).update(role="admin")
    theirs = browser(ben)
    assert theirs.get("/browse/api/v1/ext-api-keys").status_code == 200
    browser(ada).post(f"{PAGE}/members/{ben.pk}/role", {"role": "member"})
    assert theirs.get("/browse/api/v1/ext-api-keys").status_code == 403
    refused = theirs.post(f"{PAGE}/rename", {"name": "Mine"})
    assert refused.status_code == 403
    assert "Only an admin of Northern Clinic may do this" in text(refused)


def test_the_last_admin_is_told_to_make_another_first(ada: Membership, ben: Membership) -> None:
    client = browser(ada)
    for path, form in (("leave", {}), (f"members/{ada.pk}/remove", {}), (f"members/{ada.pk}/role", {"role": "member"})):
        refused = client.post(f"{PAGE}/{path}", form)
        assert refused.status_code == 409
        assert 'role="alert"' in text(refused)
        assert "Make somebody else its admin first" in text(refused)
        assert "<title>Error: " in text(refused)
    assert recorded() == []
    assert browser(ben).post(f"{PAGE}/leave").status_code == 302
    assert recorded() == [("membership.removed", f"user {ben.user_id}: member")]


def test_what_belongs_to_another_organisation_is_as_absent_as_what_is_nowhere(
    ada: Membership, stranger: Membership
) -> None:
    browser(stranger).post(f"{PAGE}/invite", {"email": "cy@example.org", "role": "member"})
    client = browser(ada)
    for member in (stranger.pk, 2**70, 0):
        assert client.post(f"{PAGE}/members/{member}/role", {"role": "member"}).status_code == 404
        assert client.post(f"{PAGE}/members/{member}/remove").status_code == 404
    for invitation in (Invitation.objects.get().pk, uuid.uuid4()):
        assert client.post(f"{PAGE}/invitations/{invitation}/withdraw").status_code == 404
    assert Invitation.objects.get().withdrawn_at is None
    assert Membership.objects.get(pk=stranger.pk).role == "admin"


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("invite", {"email": "nonsense", "role": "member"}, "valid email address"),
        ("invite", {"email": "cy@example.org", "role": "owner"}, "Choose admin or member."),
        ("invite", {"email": "ada@example.org", "role": "member"}, "a member already"),
        ("rename", {"name": " "}, "1 to 200 printable characters"),
        ("rename", {"name": "a\x00b"}, "1 to 200 printable characters"),
        ("rename", {"name": "Southern Clinic"}, "Another organisation has this name"),
        ("rename", {}, "1 to 200 printable characters"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_keeps_what_was_typed_and_changes_nothing(
    ada: Membership, other_organization: Organization, path: str, form: dict[str, str], said: str
) -> None:
    response = browser(ada).post(f"{PAGE}/{path}", form)
    assert response.status_code == 400
    assert said in text(response)
    if "email" in form:
        assert f'value="{form["email"]}"' in text(response)
    assert recorded() == []


def test_what_is_typed_is_escaped_and_extra_fields_change_nothing(
    ada: Membership, organization: Organization, other_organization: Organization
) -> None:
    client = browser(ada)
    assert "<script>" not in text(client.post(f"{PAGE}/invite", {"email": '"><script>', "role": "member"}))
    extra = {"organization": str(other_organization.pk), "organization_id": str(other_organization.pk)}
    client.post(f"{PAGE}/invite", {"email": "cy@example.org", "role": "member", "accepted_at": "2020-01-01", **extra})
    invitation = Invitation.objects.get()
    assert (invitation.organization, invitation.accepted_at) == (organization, None)
    client.post(f"{PAGE}/rename", {"name": "New name", "is_active": "", **extra})
    organization.refresh_from_db()
    other_organization.refresh_from_db()
    assert (organization.name, organization.is_active, other_organization.name) == (
        "New name",
        True,
        "Southern Clinic",
    )


def test_an_organisation_mails_a_bounded_number_of_people(ada: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organization_pages, "INVITING", Rate(2, 3600))
    client = browser(ada)
    answers = [client.post(f"{PAGE}/invite", {"email": f"p{n}@example.org", "role": "member"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 3600
    assert "Too many invitations. Try again in 60 min." in text(answers[2])
    assert Invitation.objects.count() == 2


def test_every_form_needs_a_csrf_token_and_a_post(ada: Membership, ben: Membership) -> None:
    client = browser(ada, enforce_csrf_checks=True)
    paths = ["rename", "invite", "leave", "switch", f"members/{ben.pk}/role", f"members/{ben.pk}/remove"]
    for path in (*paths, f"invitations/{uuid.uuid4()}/withdraw"):
        assert client.post(f"{PAGE}/{path}").status_code == 403, path
        assert client.get(f"{PAGE}/{path}").status_code == 405, path
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', text(client.get(PAGE)))
    assert token is not None
    form = {"role": "admin", "csrfmiddlewaretoken": token[1]}
    assert client.post(f"{PAGE}/members/{ben.pk}/role", form).status_code == 302
    assert recorded() == [("membership.changed", f"user {ben.user_id}: member to admin")]


def test_the_header_offers_the_users_organisations_and_no_other(
    ben: Membership, other_organization: Organization
) -> None:
    client = browser(ben)
    strangers = Organization.objects.create(name="Strangers")
    assert "organization/switch" not in text(client.get(PAGE))
    Membership.objects.create(organization=other_organization, user=ben.user, role="admin")
    page = text(client.get(PAGE))
    assert re.findall(r'<option value="([^"]+)"', page) == [str(ben.organization_id), str(other_organization.pk)]
    answer = client.post(f"{PAGE}/switch", {"organization_id": str(other_organization.pk), "next": PAGE})
    assert answer["Location"] == PAGE
    assert "You are an admin here" in text(client.get(PAGE))
    for wrong in (str(strangers.pk), "nonsense", ""):
        client.post(f"{PAGE}/switch", {"organization_id": wrong})
        assert "You are an admin here" in text(client.get(PAGE))


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "nonsense", ""]
)
def test_after_the_switch_only_paths_of_ours_are_followed(ben: Membership, to: str) -> None:
    form = {"organization_id": str(ben.organization_id), "next": to}
    assert browser(ben).post(f"{PAGE}/switch", form)["Location"] == PAGE


def test_a_refused_form_leads_the_switch_back_to_a_page_that_opens(
    ada: Membership, other_organization: Organization
) -> None:
    Membership.objects.create(organization=other_organization, user=ada.user)
    assert 'name="next" value=""' in text(browser(ada).post(f"{PAGE}/rename"))


def test_a_suspended_organisation_says_so_to_its_members(
    ben: Membership, organization: Organization, other_organization: Organization
) -> None:
    client = browser(ben)
    Organization.objects.filter(pk=organization.pk).update(is_active=False)
    refused = client.get(PAGE)
    assert refused.status_code == 403
    assert "Suspended: Northern Clinic." in text(refused)
    Membership.objects.create(organization=other_organization, user=ben.user)
    assert "Southern Clinic" in text(client.get(PAGE))
    assert client.post(f"{PAGE}/switch", {"organization_id": str(organization.pk)}).status_code == 302
    assert "Northern Clinic" not in text(client.get(PAGE))


def test_a_page_of_many_people_costs_no_query_for_each(
    ada: Membership, organization: Organization, django_assert_max_num_queries: Any
) -> None:
    client = browser(ada)
    for number in range(20):
        user = User.objects.create_user(f"p{number}@example.org")
        Membership.objects.create(organization=organization, user=user)
    with django_assert_max_num_queries(8):
        assert "p19@example.org" in text(client.get(PAGE))

"""The page of a mailed invitation: for whom it is, for others, and for a link that is dead."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.invitations import INVITATION, invite_member, send_due_invitations, withdraw_invitation
from apps.accounts.models import AuditEvent, Invitation, Membership, Organization, User
from apps.accounts.selectors import CURRENT_ORGANIZATION
from tests.pages import INLINE, page_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def invitation(organization: Organization) -> Invitation:
    return invite_member(actor=SYSTEM, organization=organization, email="ben@example.org", role="admin")


@pytest.fixture
def link(invitation: Invitation) -> str:
    """The path of the mailed address."""
    send_due_invitations()
    found = re.search(r"http://127\.0\.0\.1:8000(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_user("ben@example.org")


def browser(user: User | None = None, **options: Any) -> Client:
    client = Client(**options)
    if user is not None:
        client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def test_the_invited_person_joins_by_the_button_and_works_there_from_then_on(
    link: str, ben: User, organization: Organization, other_organization: Organization
) -> None:
    Membership.objects.create(organization=other_organization, user=ben)
    client = browser(ben)
    page = text(client.get(link))
    assert "Join Northern Clinic" in page
    assert "joins as admin" in page
    joined = client.post(link)
    assert (joined.status_code, joined["Location"]) == (302, "/")
    assert Membership.objects.get(user=ben, organization=organization).role == "admin"
    assert client.session[CURRENT_ORGANIZATION] == str(organization.pk)
    assert "You belong to Northern Clinic now." in text(client.get("/organization"))
    assert client.post(link).status_code == 404


def test_opening_the_link_changes_nothing(link: str, ben: User) -> None:
    before = Invitation.objects.values().get()
    for client in (browser(), browser(ben)):
        for method in (client.get, client.head):
            assert method(link).status_code == 200
    assert Invitation.objects.values().get() == before
    assert not Membership.objects.filter(user=ben).exists()
    assert not AuditEvent.objects.exclude(action="invitation.created").exists()


def test_who_is_not_signed_in_is_led_to_it_and_the_session_knows_of_the_invitation(
    link: str, invitation: Invitation
) -> None:
    client = browser()
    assert client.head(link).status_code == 200
    assert INVITATION not in client.session
    page = text(client.get(link))
    assert f'href="/login?next={link}"' in page
    assert f'href="/signup?next={link}"' in page
    assert 'method="post"' not in page
    assert client.session[INVITATION] == str(invitation.pk)
    assert client.post(link).status_code == 200
    assert not Membership.objects.exists()


def test_where_nobody_may_sign_up_the_page_does_not_offer_it(link: str, settings: Any) -> None:
    settings.HELIOS_SIGNUP = "closed"
    page = text(browser().get(link))
    assert "/login?next=" in page
    assert "/signup" not in page


def test_somebody_else_is_told_so_and_may_sign_out(link: str) -> None:
    eve = User.objects.create_user("eve@example.org")
    client = browser(eve)
    page = text(client.get(link))
    assert "You are signed in as eve@example.org." in page
    assert ">Join<" not in page
    assert client.post(link).status_code == 200
    assert not Membership.objects.exists()
    assert INVITATION not in client.session
    assert client.post("/logout", {"next": link})["Location"] == link


def test_unknown_expired_withdrawn_and_used_links_get_one_page_alike(
    link: str, invitation: Invitation, ben: User
) -> None:
    def page(path: str) -> str:
        response = browser(ben).get(path)
        assert response.status_code == 404
        return page_text(response)

    pages = [page("/invitations/unknown"), page("/invitations/" + "x" * 5000), page("/invitations/%00%ff")]
    for change in (
        {"expires_at": timezone.now()},
        {"expires_at": timezone.now() + timedelta(days=1), "accepted_at": timezone.now()},
    ):
        Invitation.objects.update(**change)
        pages.append(page(link))
    Invitation.objects.update(accepted_at=None)
    withdraw_invitation(actor=SYSTEM, invitation_id=invitation.pk)
    pages.append(page(link))
    assert len(set(pages)) == 1
    assert "This invitation does not work" in pages[0]
    assert browser(ben).post(link).status_code == 404


def test_joining_needs_a_csrf_token(link: str, ben: User) -> None:
    client = browser(ben, enforce_csrf_checks=True)
    assert client.post(link).status_code == 403
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', text(client.get(link)))
    assert token is not None
    assert client.post(link, {"csrfmiddlewaretoken": token[1]}).status_code == 302


def test_the_token_reaches_neither_the_access_log_nor_the_audit_trail(link: str, ben: User) -> None:
    with structlog.testing.capture_logs() as lines:
        browser(ben).post(link)
    assert [line["path"] for line in lines if line["event"] == "request"] == ["/invitations/[redacted]"]
    paths = set(AuditEvent.objects.exclude(path="").values_list("path", flat=True))
    assert paths == {"/invitations/[redacted]"}


def test_the_page_is_kept_nowhere_and_has_no_inline_code(link: str, ben: User) -> None:
    response = browser(ben).get(link)
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"
    assert not INLINE.search(text(response))

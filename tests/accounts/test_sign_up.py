"""Signing up: from the form to an organisation of one's own, or into one by invitation."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.audit import SYSTEM
from apps.accounts.forms import SignUpForm
from apps.accounts.invitations import INVITATION, invite_member
from apps.accounts.models import AuditEvent, Invitation, Membership, Organization, User
from tests.accounts.signing import ORGANIZATION, PASSWORD, is_signed_in, mailed_path, make_person, sign_up, trail
from tests.pages import page_text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open(settings: Settings) -> None:
    settings.HELIOS_SIGNUP = "open"


@pytest.fixture
def invitation(organization: Organization) -> Invitation:
    return invite_member(actor=SYSTEM, organization=organization, email="guest@example.org", role="member")


def invited(invitation: Invitation) -> Client:
    """A browser in which the mailed link was opened."""
    client = Client()
    client.get("/login")
    session = client.session
    session[INVITATION] = str(invitation.id)
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    return client


# -- with an organisation of one's own ------------------------------------------------------------------


def test_the_organisation_is_opened_once_the_address_is_verified_with_its_founder_as_admin() -> None:
    client = Client()
    assert sign_up(client, "New@Example.org").headers["Location"] == "/verify-email"
    assert not Organization.objects.exists(), "nobody holds a name with an address that may be made up"
    assert not is_signed_in(client)
    assert client.post(mailed_path()).headers["Location"] == "/start"
    assert is_signed_in(client)
    membership = Membership.objects.get()
    assert (membership.user.email, membership.organization.name) == ("new@example.org", ORGANIZATION)
    assert membership.role == "admin"
    assert trail() == [
        "user.signed_up", "organization.created", "membership.created", "user.email_verified", "user.signed_in",
    ]  # fmt: skip
    user = membership.user
    assert set(AuditEvent.objects.values_list("actor_id", flat=True)) == {str(user.pk)}
    assert (user.is_staff, user.is_superuser, user.wanted_organization) == (False, False, "")
    assert user.password.startswith("argon2")


def test_the_link_works_once_and_a_look_at_it_changes_nothing() -> None:
    sign_up(Client())
    path = mailed_path()
    for method in ("get", "head"):
        assert getattr(Client(), method)(path).status_code == 200
    assert not EmailAddress.objects.get().verified
    assert Client().post(path).headers["Location"] == "/login", "another browser is not signed in by it"
    assert Client().post(path).status_code == 404
    assert "does not work any more" in page_text(Client().get(path))
    assert Organization.objects.count() == 1


@pytest.mark.parametrize("key", ["x", "MQ:1abc:def", "%00", "a" * 5000])
def test_a_made_up_link_verifies_nothing(key: str) -> None:
    sign_up(Client())
    assert "does not work any more" in page_text(Client().get(f"/verify-email/{key}"))
    assert Client().post(f"/verify-email/{key}").status_code == 404
    assert not EmailAddress.objects.get().verified


def test_roles_and_organisations_cannot_be_had_by_further_fields(organization: Organization) -> None:
    client = Client()
    further = {
        "role": "admin", "is_staff": "on", "is_superuser": "true", "organization_id": str(organization.id),
        "organizations": str(organization.id), "memberships": str(organization.id), "wanted_organization": "Other",
        "user": "1", "verified": "on", "email2": "victim@example.org", "groups": "1", "id": str(organization.id),
    }  # fmt: skip
    sign_up(client, **further)
    client.post(mailed_path(), {**further, "organization": "Southern Clinic"})
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.email) == (False, False, "new@example.org")
    membership = Membership.objects.get()
    assert membership.organization != organization
    assert membership.role == "admin"


def test_a_stranger_cannot_join_an_organisation_by_its_name(organization: Organization) -> None:
    response = sign_up(Client(), organization=f" {organization.name} ")
    assert response.status_code == 200
    assert "Choose another name" in page_text(response)
    assert not User.objects.exists()


def test_who_verifies_second_chooses_another_name() -> None:
    first, second = Client(), Client()
    sign_up(first, "first@example.org")
    sign_up(second, "second@example.org")
    first.post(mailed_path(0))
    path = mailed_path(1)
    assert "was taken since you signed up" in page_text(second.get(path))
    for data in ({}, {"organization": ORGANIZATION}, {"organization": "a\x00b"}, {"organization": "x" * 201}):
        refused = second.post(path, data)
        assert refused.status_code == 200
        assert 'role="alert"' in page_text(refused)
    assert not EmailAddress.objects.get(email="second@example.org").verified
    assert Membership.objects.count() == 1
    assert second.post(path, {"organization": "Eastern Clinic"}).headers["Location"] == "/start"
    assert Membership.objects.get(user__email="second@example.org").organization.name == "Eastern Clinic"


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nonsense"},
        {"email": "a\x00b@example.org"},
        {"email": "x@" + "a." * 130 + "org"},
        {"email": ""},
        {"organization": " "},
        {"organization": "x" * 201},
        {"organization": "a\u202eb"},
        {"password1": "short"},
        {"password1": "passwordpassword"[:8]},
        {"password1": ""},
    ],
)
def test_bad_input_makes_nothing(wrong: dict[str, str]) -> None:
    email = wrong.pop("email", "new@example.org")
    response = sign_up(Client(), email, **wrong)
    assert response.status_code == 200
    assert 'role="alert"' in page_text(response)
    assert (User.objects.count(), mail.outbox) == (0, [])


# -- who has an account already ---------------------------------------------------------------------------


def test_an_address_that_is_taken_looks_like_a_new_one_and_its_owner_is_told() -> None:
    make_person("taken@example.org")
    new, taken = Client(), Client()
    answers = [sign_up(new, "fresh@example.org"), sign_up(taken, "taken@example.org")]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert answers[0].cookies.keys() == answers[1].cookies.keys()
    pages = [page_text(client.get("/verify-email")) for client in (new, taken)]
    assert pages[0].replace("fresh@", "taken@") == pages[1]
    assert [message.to for message in mail.outbox] == [["fresh@example.org"], ["taken@example.org"]]
    assert "has an account already" in mail.outbox[1].body
    assert User.objects.count() == 2


def test_the_name_of_a_first_sign_up_does_not_tell_whether_its_address_was_new() -> None:
    make_person("taken@example.org")
    sign_up(Client(), "taken@example.org", organization="One")
    sign_up(Client(), "fresh@example.org", organization="Two")
    for name in ("One", "Two"):
        assert sign_up(Client(), f"{name}@example.org", organization=name).status_code == 302


def test_both_cost_one_hash_of_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    original = Argon2PasswordHasher.encode

    def counted(hasher: Any, password: str, salt: str) -> str:
        done.append(password)
        return original(hasher, password, salt)

    make_person("taken@example.org")
    monkeypatch.setattr(Argon2PasswordHasher, "encode", counted)
    for email in ("taken@example.org", "fresh@example.org"):
        done.clear()
        sign_up(Client(), email)
        assert done == [PASSWORD], email


def test_of_two_sign_ups_with_one_address_at_once_the_second_looks_like_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_person("taken@example.org")
    # The form was checked before the other sign-up committed.
    monkeypatch.setattr(SignUpForm, "validate_unique_email", lambda form, email: email)
    assert sign_up(Client(), "taken@example.org").headers["Location"] == "/verify-email"
    assert User.objects.count() == 1
    assert "has an account already" in mail.outbox[0].body


# -- modes and invitations --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["invite", "closed"])
def test_without_invitation_nobody_signs_up_unless_the_installation_is_open(settings: Settings, mode: str) -> None:
    settings.HELIOS_SIGNUP = mode
    for response in (Client().get("/signup"), sign_up(Client())):
        assert response.status_code == 403
        assert "without an invitation" in page_text(response)
    assert not User.objects.exists()


@pytest.mark.parametrize("mode", ["invite", "open"])
def test_who_is_invited_joins_with_the_invited_role_and_address(
    settings: Settings, invitation: Invitation, mode: str
) -> None:
    settings.HELIOS_SIGNUP = mode
    client = invited(invitation)
    shown = page_text(client.get("/signup"))
    assert "guest@example.org" in shown
    assert 'name="organization"' not in shown
    assert 'name="email"' not in shown
    response = sign_up(client, "other@example.org", role="admin")
    assert response.headers["Location"] == "/start"
    assert is_signed_in(client)
    membership = Membership.objects.get()
    assert (membership.user.email, membership.organization) == ("guest@example.org", invitation.organization)
    assert membership.role == "member"
    assert EmailAddress.objects.get().verified
    assert Organization.objects.count() == 1
    assert trail()[1:] == [
        "user.signed_up", "user.email_verified", "invitation.accepted", "membership.created", "user.signed_in",
    ]  # fmt: skip
    assert "guest" not in " ".join(message.to[0] for message in mail.outbox), "there is nothing to verify"


def test_a_closed_installation_takes_no_invited_stranger_either(settings: Settings, invitation: Invitation) -> None:
    settings.HELIOS_SIGNUP = "closed"
    assert sign_up(invited(invitation)).status_code == 403
    assert not User.objects.exists()


def test_an_expired_invitation_opens_nothing(settings: Settings, invitation: Invitation) -> None:
    settings.HELIOS_SIGNUP = "invite"
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sign_up(invited(invitation)).status_code == 403
    assert not User.objects.exists()


def test_who_is_invited_and_has_an_account_is_told_to_sign_in(invitation: Invitation) -> None:
    make_person("guest@example.org")
    response = sign_up(invited(invitation))
    assert "Sign in to join" in page_text(response)
    assert User.objects.count() == 1


# -- upgrading ----------------------------------------------------------------------------------------------


def test_whoever_could_sign_in_before_needs_no_mail_after_the_upgrade() -> None:
    old = User.objects.create_user("old@example.org")
    make_person("new@example.org")
    importlib.import_module("apps.accounts.migrations.0006_signing_up").trust_addresses(apps, None)
    address = EmailAddress.objects.get(user=old)
    assert (address.email, address.verified, address.primary) == ("old@example.org", True, True)
    assert EmailAddress.objects.count() == 2


@pytest.mark.parametrize("path", ["/verify-email", "/reset-password/sent"])
def test_without_a_mail_server_the_page_says_where_the_mail_is(client: Client, settings: Settings, path: str) -> None:
    assert "has no mail server" not in page_text(client.get(path))
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "has no mail server and prints its mails instead" in page_text(client.get(path))

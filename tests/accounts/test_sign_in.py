"""Signing in and out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from apps.accounts.models import AuditEvent, Membership, Organization, User
from tests.accounts.signing import PASSWORD, is_signed_in, mailed_path, make_person, replayed, sign_in, signed_in, trail
from tests.pages import INLINE, page_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db: None) -> User:
    return make_person()


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The work on passwords: one entry for each that was hashed."""
    done: list[str] = []

    def counted(original: Any) -> Any:
        def hash_password(*arguments: Any) -> Any:
            done.append(original.__name__)
            return original(*arguments)

        return hash_password

    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2PasswordHasher, name, counted(getattr(Argon2PasswordHasher, name)))
    return done


@pytest.mark.parametrize("email", ["someone@example.org", "SOMEONE@example.ORG"])
def test_the_address_is_taken_in_any_letter_case(user: User, email: str) -> None:
    client = Client()
    response = sign_in(client, email)
    assert (response.status_code, response.headers["Location"]) == (302, "/start")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.get("/start").headers["Location"] == "/"


@pytest.mark.parametrize(
    ("email", "password"),
    [("someone@example.org", "wrong"), ("nobody@example.org", PASSWORD), ("", ""), ("a\x00b", "x"), ("x" * 300, "x")],
)
def test_who_fails_gets_a_page_that_tells_nothing(user: User, email: str, password: str) -> None:
    client = Client()
    response = sign_in(client, email, password)
    assert response.status_code == 200
    assert 'role="alert"' in page_text(response)
    assert "<title>Error: " in page_text(response)
    assert PASSWORD not in page_text(response)
    assert "_auth_user_id" not in client.session


def test_an_unknown_address_costs_the_same_work_and_gets_the_same_page_as_a_wrong_password(
    user: User, hashes: list[str], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3) as known:
        wrong = sign_in(Client(), "someone@example.org", "wrong")
    assert len(hashes) == 1
    with django_assert_num_queries(len(known)):
        unknown = sign_in(Client(), "nobody1@example.org", "wrong")
    assert len(hashes) == 2
    assert page_text(wrong).replace("someone@", "nobody1@") == page_text(unknown)
    assert wrong.status_code == unknown.status_code
    assert wrong.headers.keys() == unknown.headers.keys()
    assert wrong.cookies.keys() == unknown.cookies.keys()


def test_a_switched_off_user_cannot_sign_in(user: User) -> None:
    User.objects.update(is_active=False)
    client = Client()
    response = sign_in(client)
    assert response.headers["Location"] == "/login/inactive"
    assert "switched off" in page_text(client.get("/login/inactive"))
    assert not is_signed_in(client)


def test_who_has_not_verified_the_address_gets_the_link_again_instead() -> None:
    User.objects.create_user("someone@example.org", PASSWORD)  # as staff make a user
    client = Client()
    assert sign_in(client).headers["Location"] == "/verify-email"
    assert not is_signed_in(client)
    assert client.get(mailed_path()).status_code == 200
    assert not EmailAddress.objects.get().verified, "a look at the page verifies nothing"
    assert client.post(mailed_path()).status_code == 302
    assert is_signed_in(client)
    assert EmailAddress.objects.get().verified
    assert not is_signed_in(Client())


def test_after_signing_in_only_paths_of_ours_are_followed(user: User) -> None:
    assert sign_in(Client(), next="/admin/").headers["Location"] == "/admin/"
    for elsewhere in ("https://evil.example/", "//evil.example/", "https://localhost/", "javascript:alert(1)"):
        assert sign_in(Client(), next=elsewhere).headers["Location"] == "/start"


def test_what_was_typed_and_the_next_path_are_escaped(user: User) -> None:
    response = sign_in(Client(), '"><script>alert(1)</script>', "x", next='/"><script>')
    assert "<script>" not in page_text(response)


def test_the_page_obeys_its_policy_without_inline_code() -> None:
    response = Client().get("/login")
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert not INLINE.search(page_text(response))
    assert response.headers["Cache-Control"].startswith("max-age=0")


def test_signing_in_needs_a_csrf_token(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client).status_code == 403
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get("/login").content.decode())
    assert token is not None
    assert sign_in(client, csrfmiddlewaretoken=token[1]).status_code == 302


def test_signing_in_gives_a_new_session_which_lasts_14_days_only_if_asked(user: User) -> None:
    client = Client()
    sign_in(client, password="wrong", next="/x")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    sign_in(client)
    assert client.cookies["sessionid"].value != session.session_key
    assert client.cookies["sessionid"]["max-age"] == ""
    client = Client()
    sign_in(client, remember="on")
    assert client.cookies["sessionid"]["max-age"] == 14 * 86_400


def test_signing_out_needs_a_post_and_ends_the_session_on_the_server(user: User) -> None:
    client = signed_in(user)
    copy = replayed(client)
    assert client.get("/logout").status_code == 200
    assert is_signed_in(client)
    assert client.post("/logout").headers["Location"] == "/login"
    assert not is_signed_in(client)
    assert not is_signed_in(copy)


def test_json_is_answered_by_the_same_pages(user: User) -> None:
    response = Client().post(
        "/login", {"login": user.email, "password": PASSWORD}, content_type="application/json",
        headers={"accept": "application/json"},
    )  # fmt: skip
    assert response.headers["Content-Type"].startswith("text/html")
    assert 'role="alert"' in page_text(response)


# -- the audit trail --------------------------------------------------------------------------------------


def test_signing_in_failing_and_signing_out_are_recorded(user: User, organization: Organization) -> None:
    Membership.objects.create(user=user, organization=organization)
    sign_in(Client(), password="wrong-and-secret")
    client = signed_in(user)
    client.post("/logout")
    failed, came, went = AuditEvent.objects.order_by("id")
    assert (failed.action, failed.actor_type, failed.object_id) == ("user.sign_in_failed", "system", str(user.pk))
    assert (failed.outcome, failed.reason, failed.path) == ("failed", "password", "/login")
    for event in (failed, came, went):
        assert event.organization_id == organization.pk
        assert event.address == "127.0.0.1"
    assert (came.action, came.actor_type, came.actor_id) == ("user.signed_in", "user", str(user.pk))
    assert went.action == "user.signed_out"


def test_what_a_stranger_typed_is_not_recorded() -> None:
    sign_in(Client(), "nobody@example.org", "my password elsewhere")
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.organization_id) == ("user.sign_in_failed", "", None)
    everything = " ".join(str(value) for value in AuditEvent.objects.values_list()[0])
    assert "nobody" not in everything
    assert "elsewhere" not in everything


def test_with_several_organisations_the_row_is_in_the_installations_trail(
    user: User, organization: Organization, other_organization: Organization
) -> None:
    for one in (organization, other_organization):
        Membership.objects.create(user=user, organization=one)
    sign_in(Client(), password="wrong")
    signed_in(user)
    assert trail() == ["user.sign_in_failed", "user.signed_in"]
    assert set(AuditEvent.objects.values_list("organization_id", flat=True)) == {None}


def test_signing_in_sends_no_mail(user: User) -> None:
    signed_in(user)
    assert mail.outbox == []


def test_the_database_keeps_addresses_in_lower_case() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User(email="Upper@example.org").save()

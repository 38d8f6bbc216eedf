"""Changing and resetting a password, and changing the address."""

from __future__ import annotations

import time

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import AuditEvent, User
from helios_site.logs import redact
from tests.accounts.signing import (
    PASSWORD,
    confirm_password,
    is_signed_in,
    mailed_path,
    make_person,
    replayed,
    sign_in,
    signed_in,
    trail,
)
from tests.conftest import with_totp
from tests.pages import page_text

pytestmark = pytest.mark.django_db
NEW = {"password1": "another long password", "password2": "another long password"}


@pytest.fixture
def user(db: None) -> User:
    return make_person()


def ask_for_reset(email: str = "someone@example.org", **headers: str) -> Client:
    client = Client(headers=headers)
    assert client.post("/reset-password", {"email": email}).headers["Location"] == "/reset-password/sent"
    return client


def test_changing_the_password_ends_the_other_sessions_and_keeps_this_one(user: User) -> None:
    here, elsewhere = signed_in(user), signed_in(user)
    old_cookie = replayed(here)
    response = here.post("/account/password", {"oldpassword": PASSWORD, **NEW})
    assert response.headers["Location"] == "/account"
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    assert not is_signed_in(old_cookie)
    assert sign_in(Client(), password=NEW["password1"]).status_code == 302
    assert "user.password_changed" in trail()
    assert "was changed" in mail.outbox[0].subject


@pytest.mark.parametrize(
    "form",
    [
        {"oldpassword": "wrong", **NEW},
        {"oldpassword": PASSWORD, "password1": "short", "password2": "short"},
        {"oldpassword": PASSWORD, "password1": NEW["password1"], "password2": "something else"},
        {},
    ],
)
def test_a_change_that_is_refused_changes_nothing(user: User, form: dict[str, str]) -> None:
    client = signed_in(user)
    assert 'role="alert"' in page_text(client.post("/account/password", form))
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert "user.password_changed" not in trail()


def test_a_reset_link_sets_a_password_once_and_ends_all_sessions(user: User) -> None:
    elsewhere = signed_in(user)
    client = ask_for_reset()
    form = client.get(mailed_path()).headers["Location"]
    assert form.endswith("/set-password"), "the secret does not stay in the address line"
    assert client.post(form, NEW).headers["Location"] == "/reset-password/done"
    assert not is_signed_in(elsewhere)
    assert not is_signed_in(client)
    assert sign_in(Client(), password=NEW["password1"]).status_code == 302
    assert "does not work any more" in page_text(Client().get(mailed_path(0)))
    assert trail()[1] == "user.password_reset"
    assert "was reset" in mail.outbox[1].subject


def test_a_reset_link_ends_after_an_hour(user: User) -> None:
    with time_machine.travel(time.time() - 3700, tick=True):
        ask_for_reset()
    assert "does not work any more" in page_text(Client().get(mailed_path()))


@pytest.mark.parametrize("path", ["x/y", "00000000000040008000000000000000/set-password", "%00/%00", "1/" + "a" * 3000])
def test_a_made_up_reset_link_is_answered_calmly(user: User, path: str) -> None:
    assert "does not work any more" in page_text(Client().get(f"/reset-password/{path}"))
    assert "does not work any more" in page_text(Client().post(f"/reset-password/{path}", NEW))
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_asking_for_an_unknown_address_looks_like_asking_for_a_known_one(user: User) -> None:
    known, unknown = ask_for_reset(), ask_for_reset("nobody@example.org")
    assert page_text(known.get("/reset-password/sent")) == page_text(unknown.get("/reset-password/sent"))
    assert known.cookies.keys() == unknown.cookies.keys()
    assert [message.to for message in mail.outbox] == [["someone@example.org"], ["nobody@example.org"]]
    assert "There is no account with it" in mail.outbox[1].body


def test_links_are_made_from_the_public_address_whatever_the_host_header_says(user: User, settings: Settings) -> None:
    settings.HELIOS_PUBLIC_BASE_URL = "http://helios.example.org"
    settings.ALLOWED_HOSTS = ["*"]
    ask_for_reset(host="evil.example")
    ask_for_reset("nobody@example.org", host="evil.example")
    for message in mail.outbox:
        assert "evil.example" not in message.body
    assert "http://helios.example.org/reset-password/" in mail.outbox[0].body


def test_the_secret_of_a_mailed_link_is_in_no_log_and_no_trail(user: User) -> None:
    client = ask_for_reset()
    secret = mailed_path().rsplit("/", 1)[1]
    assert secret not in redact(f"GET {mailed_path()} 302")
    assert "secret" not in redact("/verify-email/secret")
    client.post(client.get(mailed_path()).headers["Location"], NEW)
    assert AuditEvent.objects.filter(path__contains="[redacted]").exists()
    assert not AuditEvent.objects.filter(path__contains=secret).exists()


def test_a_mail_server_that_is_away_stops_nobody(user: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    ask_for_reset()
    client = signed_in(user)
    assert client.post("/account/password", {"oldpassword": PASSWORD, **NEW}).status_code == 302


# -- another address --------------------------------------------------------------------------------------


def test_another_address_takes_the_place_once_it_is_verified(user: User) -> None:
    client = signed_in(user)
    form = {"email": "Else@Example.org", "action_add": ""}
    assert client.post("/account/email", form).headers["Location"].startswith("/account/confirm?next=")
    confirm_password(client)
    client.post("/account/email", form)
    assert "else@example.org" in page_text(client.get("/account/email"))
    user.refresh_from_db()
    assert user.email == "someone@example.org"
    assert sign_in(Client(), "else@example.org").status_code == 200, "not before it is verified"
    client.post(mailed_path())
    user.refresh_from_db()
    assert user.email == "else@example.org"
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("else@example.org", True, True)]
    assert trail()[-2:] == ["user.email_changed", "user.email_verified"]
    assert mail.outbox[-1].to == ["someone@example.org"], "the old address is told"


def test_an_address_of_somebody_else_cannot_be_taken(user: User) -> None:
    User.objects.create_user("other@example.org")  # not verified
    client = signed_in(user)
    confirm_password(client)
    client.post("/account/email", {"email": "other@example.org", "action_add": ""})
    client.post(mailed_path())
    user.refresh_from_db()
    assert user.email == "someone@example.org"
    assert not EmailAddress.objects.filter(email="other@example.org", verified=True).exists()


@pytest.mark.parametrize("email", ["nonsense", "", "x@" + "a." * 130 + "org", "someone@example.org"])
def test_an_unusable_address_is_refused(user: User, email: str) -> None:
    client = signed_in(user)
    confirm_password(client)
    assert 'role="alert"' in page_text(client.post("/account/email", {"email": email, "action_add": ""}))
    assert EmailAddress.objects.count() == 1


def test_a_change_of_address_can_be_cancelled(user: User) -> None:
    client = signed_in(user)
    confirm_password(client)
    client.post("/account/email", {"email": "else@example.org", "action_add": ""})
    client.post("/account/email", {"email": "else@example.org", "action_remove": ""})
    assert list(EmailAddress.objects.values_list("email", flat=True)) == ["someone@example.org"]
    assert client.post(mailed_path(0)).status_code == 404


def test_with_two_steps_the_address_is_changed_only_after_turning_them_off(user: User) -> None:
    client = signed_in(user)
    with_totp(user)
    confirm_password(client)
    response = client.post("/account/email", {"email": "else@example.org", "action_add": ""})
    assert "Turn two-step sign-in off first" in page_text(response)

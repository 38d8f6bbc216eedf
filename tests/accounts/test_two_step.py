"""Two-step sign-in: the authenticator app and the recovery codes."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from apps.accounts.models import AuditEvent, User
from helios_site.encryption import decrypt
from tests.accounts.signing import (
    code_for,
    code_of,
    confirm_password,
    is_signed_in,
    make_person,
    sign_in,
    signed_in,
    trail,
)
from tests.conftest import with_totp
from tests.pages import page_text

pytestmark = pytest.mark.django_db
ON, OFF, CODES = "/account/two-step/on", "/account/two-step/off", "/account/recovery-codes"


@pytest.fixture
def user(db: None) -> User:
    return make_person()


def turn_on(client: Client) -> Any:
    confirm_password(client)
    shown = page_text(client.get(ON))
    found = re.search(r'class="codes">([A-Z2-7=]+)<', shown)
    assert found is not None
    assert 'src="data:image/svg+xml;base64,' in shown
    return client.post(ON, {"code": code_for(found[1])})


def halfway(user: User) -> Client:
    """A browser that has given the password and is asked for a code."""
    client = Client()
    assert sign_in(client, user.email).headers["Location"] == "/login/code"
    return client


def test_turning_it_on_makes_recovery_codes_and_is_recorded_and_mailed(
    user: User, django_capture_on_commit_callbacks: Any
) -> None:
    client = signed_in(user)
    assert client.get(ON).headers["Location"] == "/account/confirm?next=%2Faccount%2Ftwo-step%2Fon"
    with django_capture_on_commit_callbacks(execute=True):
        assert turn_on(client).headers["Location"] == CODES
    codes = re.findall(r"<li>(\d{8})</li>", page_text(client.get(CODES)))
    assert len(set(codes)) == 10
    assert client.get(f"{CODES}/download").content.decode().split() == codes
    assert sorted(trail()[-2:]) == ["user.recovery_codes_made", "user.totp_added"]
    assert "was turned on" in mail.outbox[-1].subject


def test_turning_it_on_ends_the_sessions_that_began_with_the_password_alone(
    user: User, django_capture_on_commit_callbacks: Any
) -> None:
    theirs, other, here = signed_in(make_person("other@example.org")), signed_in(user), signed_in(user)
    with django_capture_on_commit_callbacks(execute=True):
        turn_on(here)
    assert [is_signed_in(client) for client in (theirs, other, here)] == [True, False, True]
    assert "user.session_ended" in trail()


def test_a_wrong_code_does_not_turn_it_on(user: User) -> None:
    client = signed_in(user)
    confirm_password(client)
    client.get(ON)
    for code in ("000000", "", "x", "1" * 5000, "a\x00b"):
        assert 'role="alert"' in page_text(client.post(ON, {"code": code}))
    assert not Authenticator.objects.exists()


def test_secrets_are_stored_encrypted(user: User) -> None:
    turn_on(signed_in(user))
    stored = {one.type: one.data for one in Authenticator.objects.all()}
    secret = decrypt(stored["totp"]["secret"].encode(), purpose="totp")
    assert re.fullmatch(r"[A-Z2-7]{32}", secret)
    assert re.fullmatch(r"[0-9a-f]{80}", decrypt(stored["recovery_codes"]["seed"].encode(), purpose="totp"))


def test_the_password_alone_is_then_not_enough(user: User) -> None:
    with_totp(user)
    client = halfway(user)
    assert not is_signed_in(client)
    assert "user.signed_in" not in trail()
    assert client.post("/login/code", {"code": code_of(user)}).headers["Location"] == "/start"
    assert is_signed_in(client)
    assert trail() == ["user.signed_in"]


def test_a_code_works_once(user: User) -> None:
    with_totp(user)
    code = code_of(user)
    halfway(user).post("/login/code", {"code": code})
    client = halfway(user)
    assert 'role="alert"' in page_text(client.post("/login/code", {"code": code}))
    assert not is_signed_in(client)
    event = AuditEvent.objects.get(action="user.sign_in_failed")
    assert (event.reason, event.object_id, event.outcome) == ("code", str(user.pk), "failed")


@pytest.mark.parametrize("form", [{"code": ""}, {"code": "000000"}, {"code": "9" * 10_000}, {"code": "a\x00"}])
def test_without_the_right_code_nobody_gets_in(user: User, form: dict[str, str]) -> None:
    with_totp(user)
    client = halfway(user)
    response = client.post("/login/code", form)
    assert response.status_code == 200
    assert 'role="alert"' in page_text(response)
    assert not is_signed_in(client)
    assert client.post("/login/code", {"credential": "{}"}).headers["Location"] == "/login/code"


def test_the_page_of_the_code_needs_the_password_first_and_waits_15_minutes(user: User) -> None:
    with_totp(user)
    assert Client().get("/login/code").headers["Location"] == "/login"
    client = halfway(user)
    with time_machine.travel(time.time() + 901, tick=True):
        assert client.get("/login/code").headers["Location"] == "/login"


def test_a_recovery_code_signs_in_once(user: User) -> None:
    client = signed_in(user)
    turn_on(client)
    code = re.findall(r"<li>(\d{8})</li>", page_text(client.get(CODES)))[3]
    assert halfway(user).post("/login/code", {"code": code}).status_code == 302
    assert halfway(user).post("/login/code", {"code": code}).status_code == 200
    assert code not in page_text(client.get(CODES))


def test_new_recovery_codes_end_the_old_ones(user: User, django_capture_on_commit_callbacks: Any) -> None:
    client = signed_in(user)
    turn_on(client)
    old = page_text(client.get(CODES))
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"{CODES}/new").headers["Location"] == CODES
    codes = re.findall(r"<li>(\d{8})</li>", page_text(client.get(CODES)))
    assert len(codes) == 10
    assert not [code for code in codes if code in old]
    assert trail()[-1] == "user.recovery_codes_made"


def test_turning_it_off_ends_the_codes_and_is_recorded_and_mailed(user: User) -> None:
    client = signed_in(user)
    turn_on(client)
    assert client.post(OFF).headers["Location"] == "/account/two-step"
    assert not Authenticator.objects.exists()
    assert trail()[-1] == "user.totp_removed"
    assert "was turned off" in mail.outbox[-1].subject
    signed_in(user)


def test_what_matters_asks_for_the_password_or_a_code_again(user: User) -> None:
    with_totp(user)
    client = halfway(user)
    client.post("/login/code", {"code": code_of(user)})
    for path in (OFF, f"{CODES}/new"):
        for response in (client.get(path), client.post(path)):
            assert response.headers["Location"].startswith("/account/confirm?next=")
    assert "Use a code instead" in page_text(client.get("/account/confirm"))
    assert 'role="alert"' in page_text(confirm_password(client, "wrong"))
    assert client.get(OFF).status_code == 302
    client.post("/account/confirm/code", {"code": code_of(user, step=2)})
    assert client.get(OFF).status_code == 200
    assert Authenticator.objects.filter(type="totp").exists()

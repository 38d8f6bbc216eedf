"""The limits of signing up and in, each apart from the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from helios_site import cache
from helios_site.env import parse_networks
from tests.accounts.signing import (
    PASSWORD,
    confirm_password,
    is_signed_in,
    mailed_path,
    make_person,
    sign_in,
    sign_up,
    signed_in,
)
from tests.conftest import with_totp
from tests.pages import page_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db: None) -> User:
    return make_person()


def refused(response: Any) -> bool:
    """Whether this is the page that says to wait, and for how long."""
    if response.status_code != 429:
        return False
    assert response.headers["Retry-After"] == "300"
    assert "five minutes" in page_text(response)
    return True


def limit(settings: Settings, **limits: str) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, **limits}


def test_five_wrong_passwords_lock_an_address_even_for_the_right_one_and_from_everywhere(user: User) -> None:
    assert [sign_in(Client(REMOTE_ADDR=f"10.0.0.{n}"), password="x").status_code for n in range(5)] == [200] * 5
    client = Client(REMOTE_ADDR="10.9.9.9")
    assert refused(sign_in(client))
    assert not is_signed_in(client)
    make_person("other@example.org")
    assert sign_in(Client(REMOTE_ADDR="10.0.0.1"), "other@example.org").status_code == 302


def test_an_address_that_nobody_has_is_locked_alike(user: User) -> None:
    answers = [sign_in(Client(), "nobody@example.org", "x").status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_the_lock_cannot_be_gone_round_by_host_case_or_forwarded_address(user: User) -> None:
    for n in range(5):
        client = Client(headers={"host": f"localhost:{n + 1}", "x-forwarded-for": f"10.0.0.{n}"})
        sign_in(client, "SomeOne@Example.ORG", "x")
    assert refused(sign_in(Client()))


def test_right_passwords_are_no_attempts(user: User) -> None:
    for _ in range(4):
        sign_in(Client(), password="x")
    for _ in range(3):
        signed_in(user)
    assert sign_in(Client(), password="x").status_code == 200
    assert refused(sign_in(Client(), password="x"))


def test_a_reset_password_opens_the_lock(user: User) -> None:
    for _ in range(6):
        sign_in(Client(), password="x")
    client = Client()
    client.post("/reset-password", {"email": user.email})
    new = {"password1": "another long password", "password2": "another long password"}
    client.post(client.get(mailed_path()).headers["Location"], new)
    assert sign_in(Client(), password=new["password1"]).status_code == 302


@pytest.mark.parametrize("trusted", [(), ("127.0.0.0/8",)])
def test_the_address_counted_is_the_one_behind_trusted_proxies(user: User, settings: Settings, trusted: Any) -> None:
    settings.TRUSTED_PROXIES = parse_networks(trusted)
    limit(settings, login="2/300s/ip")
    answers = [sign_in(Client(headers={"x-forwarded-for": f"10.0.0.{n}"})).status_code for n in range(4)]
    assert answers == ([302] * 4 if trusted else [302, 302, 429, 429])


def test_each_thing_has_a_limit_of_its_own(user: User, settings: Settings) -> None:
    settings.HELIOS_SIGNUP = "open"
    limit(settings, login="1/300s/ip", signup="1/300s/ip", reset_password="1/300s/ip")
    reset = {"email": "someone@example.org"}
    calls: list[Callable[[], Any]] = [
        lambda: sign_in(Client()),
        lambda: sign_up(Client(), "nonsense"),
        lambda: Client().post("/reset-password", reset),
    ]
    assert [refused(call()) for call in calls] == [False] * 3
    assert [refused(call()) for call in calls] == [True] * 3
    for path in ("/login", "/signup", "/reset-password"):
        assert Client().get(path).status_code == 200


def test_codes_are_limited_for_each_person(user: User) -> None:
    with_totp(user)
    client = Client()
    sign_in(client)
    answers = [client.post("/login/code", {"code": "000000"}).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_reset_links_and_confirmations_are_limited(user: User, settings: Settings) -> None:
    limit(settings, reset_password_from_key="2/300s/ip", reauthenticate="2/300s/user", change_password="2/300s/user")
    form = {"password1": "x", "password2": "x"}
    answers = [refused(Client().post("/reset-password/x/y", form)) for _ in range(3)]
    assert answers == [False, False, True]
    client = signed_in(user)
    assert [refused(confirm_password(client)) for _ in range(3)] == [False, False, True]
    assert [refused(client.post("/account/password", {})) for _ in range(3)] == [False, False, True]


def test_without_redis_people_sign_in_and_a_flood_is_held(
    user: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PAUSE_SECONDS", 60)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with_totp(other := make_person("other@example.org"))
    signed_in(user)
    assert sign_in(Client(), other.email).headers["Location"] == "/login/code"
    address = "flooded@example.org"
    assert [sign_in(Client(), address, PASSWORD).status_code for _ in range(6)] == [200] * 5 + [429]

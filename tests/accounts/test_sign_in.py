"""Signing in and out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from helios_site.env import Rate

pytestmark = pytest.mark.django_db
PASSWORD = "a long password"


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("Someone@Example.org", PASSWORD)


@pytest.fixture(autouse=True)
def _patient(settings: Settings) -> None:
    """Exact counts need Redis, which on a busy machine may take longer than the usual 50 ms."""
    settings.RATE_LIMIT_BUDGET_SECONDS = 5.0


def sign_in(client: Client, email: str = "someone@example.org", password: str = PASSWORD, **extra: Any) -> Any:
    return client.post("/login", {"username": email, "password": password, **extra})


@pytest.mark.parametrize("email", ["someone@example.org", "SOMEONE@example.ORG"])
def test_the_address_is_taken_in_any_letter_case(user: User, email: str) -> None:
    client = Client()
    response = sign_in(client, email)
    assert (response.status_code, response.headers["Location"]) == (302, "/browse/")
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.parametrize(
    ("email", "password"),
    [("someone@example.org", "wrong"), ("nobody@example.org", PASSWORD), ("", ""), ("a\x00b", "x"), ("x" * 300, "x")],
)
def test_who_fails_gets_one_answer_that_tells_nothing(user: User, email: str, password: str) -> None:
    client = Client()
    response = sign_in(client, email, password)
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert PASSWORD not in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_switched_off_user_cannot_sign_in(user: User) -> None:
    User.objects.update(is_active=False)
    assert sign_in(Client()).status_code == 200


def test_after_signing_in_only_paths_of_ours_are_followed(user: User) -> None:
    assert sign_in(Client(), next="/admin/").headers["Location"] == "/admin/"
    assert sign_in(Client(), next="https://evil.example/").headers["Location"] == "/browse/"
    assert sign_in(Client(), next="//evil.example/").headers["Location"] == "/browse/"


def test_what_was_typed_and_the_next_path_are_escaped(user: User) -> None:
    response = sign_in(Client(), '"><script>alert(1)</script>', "x", next='/"><script>')
    assert "<script" not in response.content.decode()


def test_the_page_obeys_its_policy_without_inline_code() -> None:
    response = Client().get("/login")
    page = response.content.decode()
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert not re.search(r"<script|<style|style=|\son[a-z]+=", page)
    assert response.headers["Cache-Control"].startswith("max-age=0")


def test_signing_in_needs_a_csrf_token(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client).status_code == 403
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get("/login").content.decode())
    assert token is not None
    assert sign_in(client, csrfmiddlewaretoken=token[1]).status_code == 302


def test_signing_out_needs_a_post(user: User) -> None:
    client = Client()
    client.force_login(user)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").status_code == 302
    assert "_auth_user_id" not in client.session


def test_too_many_attempts_from_one_address_are_held_off_even_with_the_right_password(
    user: User, settings: Settings
) -> None:
    settings.RATE_LIMIT_FAILED_AUTH = Rate(3, 60)
    client = Client()
    assert [sign_in(client, password="wrong").status_code for _ in range(3)] == [200] * 3
    held = sign_in(client)
    assert held.status_code == 429
    assert 1 <= int(held.headers["Retry-After"]) <= 60
    assert "Too many attempts" in held.content.decode()
    assert "_auth_user_id" not in client.session
    assert sign_in(Client(REMOTE_ADDR="10.9.9.9")).status_code == 302


def test_the_admin_shares_that_count_and_admits_staff_only(user: User, settings: Settings) -> None:
    form = {"username": user.email, "password": PASSWORD}
    assert "staff account" in Client().post("/admin/login/", form).content.decode()
    User.objects.update(is_staff=True)
    client = Client()
    assert client.post("/admin/login/", form).status_code == 302
    settings.RATE_LIMIT_FAILED_AUTH = Rate(2, 60)
    client = Client()
    assert "Too many attempts" in client.post("/admin/login/", form).content.decode()
    assert "_auth_user_id" not in client.session


def test_the_database_keeps_addresses_in_lower_case() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User(email="Upper@example.org").save()

"""Every page of signing in and of an account: one look, labels, no inline code, nothing of a third party."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from django.test import Client
from pytest_django import Settings

from tests.accounts.signing import confirm_password, make_person, signed_in
from tests.pages import INLINE, page_text

pytestmark = pytest.mark.django_db
OPEN = [
    "/login", "/signup", "/verify-email", "/verify-email/x", "/login/inactive", "/reset-password",
    "/reset-password/sent", "/reset-password/done", "/reset-password/x/y",
]  # fmt: skip
SIGNED_IN = [
    "/account", "/account/email", "/account/password", "/account/sessions", "/account/confirm", "/account/two-step",
    "/account/two-step/on", "/logout",
]  # fmt: skip


def check(client: Client, path: str) -> None:
    response = client.get(path)
    shown = page_text(response)
    assert response.status_code == 200, path
    assert shown.startswith("<!doctype html>")
    assert shown.count("<h1>") == 1
    assert "<title>Error" not in shown
    assert not INLINE.search(shown), path
    for field in re.findall(r"<(?:input|select)[^>]*>", shown):
        if 'type="hidden"' not in field:
            found = re.search(r'id="([^"]+)"', field)
            assert found is not None
            assert f'<label for="{found[1]}">' in shown, (path, field)
            assert "autocomplete=" in field or 'type="checkbox"' in field, (path, field)
            assert "placeholder" not in field
    for described in re.findall(r'aria-describedby="([^"]+)"', shown):
        for name in described.split():
            assert f'id="{name}"' in shown, path


@pytest.mark.parametrize("path", OPEN)
def test_every_open_page_has_our_look(path: str, settings: Settings) -> None:
    settings.HELIOS_SIGNUP = "open"
    check(Client(), path)


@pytest.mark.parametrize("path", SIGNED_IN)
def test_every_page_of_an_account_has_our_look(path: str) -> None:
    client = signed_in(make_person())
    confirm_password(client)
    check(client, path)


def test_the_pages_of_an_account_send_strangers_to_the_log_in() -> None:
    for path in [*SIGNED_IN[:-1], "/start"]:
        location = Client().get(path).headers["Location"]
        assert unquote(location) == f"/login?next={path}"


def test_the_header_leads_signed_in_people_on_and_out() -> None:
    shown = page_text(signed_in(make_person()).get("/account"))
    for link in ('href="/account"', 'href="/api-reference"', 'action="/logout"'):
        assert link in shown
    assert "/admin/" not in shown
    assert "<nav" not in page_text(Client().get("/login"))

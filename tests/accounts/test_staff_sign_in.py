"""The admin: staff alone, and only with two steps."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin import site
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from apps.accounts.models import User
from tests.accounts.signing import code_of, make_person, replayed, sign_in, signed_in
from tests.conftest import with_totp
from tests.pages import page_text

pytestmark = pytest.mark.django_db
SET_UP = "/account/two-step/on"


def admin_paths() -> list[str]:
    """One of each page of the admin that staff see, whatever its object."""
    paths = []
    mounted: Any = next(one for one in get_resolver().url_patterns if str(one.pattern) == "admin/")
    flat = [inner for outer in mounted.url_patterns for inner in getattr(outer, "url_patterns", [outer])]
    for pattern in flat:
        for arguments in ([], ["1"], ["auth"]):
            try:
                paths.append(reverse(f"admin:{pattern.name}", args=arguments))
                break
            except NoReverseMatch:
                continue
    return [path for path in paths if path not in ("/admin/login/", "/admin/jsi18n/")]


def where(client: Client, path: str) -> tuple[int, str]:
    """Status and path of the page that one ends at."""
    response = client.get(path, follow=True)
    steps: list[tuple[str, int]] = response.redirect_chain
    assert len(steps) <= 4
    return response.status_code, (steps[-1][0] if steps else path).partition("?")[0]


@pytest.fixture
def newcomer(db: None) -> User:
    """Staff who have not set their second step up."""
    return make_person("staff2@example.org", is_staff=True, is_superuser=True)


def test_every_page_of_the_admin_sends_staff_without_second_step_to_set_it_up(newcomer: User) -> None:
    client = signed_in(newcomer)
    paths = admin_paths()
    assert len(paths) > 40
    for path in paths:
        assert where(client, path) in [(200, SET_UP), (200, "/account/confirm")], path
        assert client.post(path).status_code in (302, 403), path


def test_every_page_of_the_admin_sends_strangers_to_the_log_in() -> None:
    client = Client()
    for path in admin_paths():
        assert where(client, path) == (200, "/login"), path


def test_who_is_not_staff_is_told_so_without_a_loop() -> None:
    client = signed_in(make_person())
    for path in ("/admin/", "/admin/accounts/user/", "/admin/login/"):
        assert where(client, path) == (403, "/admin/login/")
    assert "for staff of this installation" in page_text(client.get("/admin/login/"))


def test_staff_with_second_step_get_in_with_password_and_code_and_return_to_the_page_wanted(newcomer: User) -> None:
    with_totp(newcomer)
    client = Client()
    entrance = client.get("/admin/accounts/user/", follow=True)
    assert entrance.redirect_chain[-1][0] == "/login?next=/admin/accounts/user/"
    sign_in(client, newcomer.email, next="/admin/accounts/user/")
    assert where(client, "/admin/accounts/user/") == (200, "/login/code"), "the password alone is not enough"
    assert client.post("/login/code", {"code": code_of(newcomer)}).headers["Location"] == "/admin/accounts/user/"
    assert client.get("/admin/accounts/user/").status_code == 200


def test_the_admin_takes_no_password_itself(newcomer: User) -> None:
    with_totp(newcomer)
    client = Client()
    response = client.post("/admin/login/", {"username": newcomer.email, "password": "a long password"})
    assert response.status_code == 302
    assert "_auth_user_id" not in client.session


def test_turning_the_second_step_off_closes_the_admin(admin: Client, staff: User) -> None:
    assert admin.get("/admin/").status_code == 200
    Authenticator.objects.filter(user=staff).delete()
    assert where(admin, "/admin/")[1] in (SET_UP, "/account/confirm")


def test_who_is_staff_no_longer_loses_the_admin_at_the_next_request(admin: Client, staff: User) -> None:
    User.objects.update(is_staff=False)
    assert where(admin, "/admin/")[0] == 403


def test_signing_out_of_the_admin_ends_the_session_on_the_server(admin: Client) -> None:
    copy = replayed(admin)
    assert admin.post("/admin/logout/").status_code == 302
    assert copy.get("/admin/").status_code == 302


def test_staff_made_on_the_command_line_sign_in_and_set_the_second_step_up_first() -> None:
    out = StringIO()
    call_command("create_staff", "new@example.org", stdout=out, stderr=StringIO())
    client = Client()
    assert sign_in(client, "new@example.org", out.getvalue().strip()).headers["Location"] == "/start"
    assert client.get("/start").headers["Location"] == SET_UP


def test_a_reset_on_the_command_line_helps_who_lost_the_app(newcomer: User) -> None:
    with_totp(newcomer)
    out = StringIO()
    call_command("create_staff", newcomer.email, "--reset", stdout=out, stderr=StringIO())
    assert not Authenticator.objects.exists()
    client = Client()
    assert sign_in(client, newcomer.email, out.getvalue().strip()).headers["Location"] == "/start"


def test_staff_change_their_password_on_the_page_of_everybody(admin: Client) -> None:
    assert admin.get("/admin/password_change/").headers["Location"] == "/account/password"


def test_what_signing_in_keeps_has_no_page_in_the_admin() -> None:
    known = {model._meta.label for model in site._registry}
    assert not {"account.EmailAddress", "mfa.Authenticator", "usersessions.UserSession"} & known

"""Answers where no view of ours runs: what a reader is told to do, and what still works there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client, RequestFactory

from apps.accounts import header
from apps.accounts.models import Membership, Organization, User
from helios_site.api.errors import csrf_failure, permission_denied
from tests.conftest import with_totp
from tests.pages import INLINE

pytestmark = pytest.mark.django_db
MENU = 'aria-label="Main"'


@pytest.fixture
def member(organization: Organization) -> Client:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user, role="member")
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def page(response: Any, status: int) -> str:
    text = str(response.content.decode())
    assert response.status_code == status
    assert text.startswith("<!doctype html>")
    assert not INLINE.search(text)
    assert 'href="/">Go to the first page' in text
    return text


def test_a_missing_page_keeps_the_menu_of_who_is_signed_in(member: Client, client: Client) -> None:
    text = page(member.get("/there-is-no-such-page"), 404)
    assert MENU in text
    assert "Northern Clinic" in text
    assert "Check the address for a slip." in text
    assert MENU not in page(client.get("/there-is-no-such-page"), 404)
    assert client.get("/v1/nothing").json() == {"detail": "Not Found"}


def test_a_fault_is_told_even_if_nothing_else_works(member: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(header, "_workplace", fail)
    text = page(member.get("/account"), 500)
    assert "tell your administrator the time" in text
    assert MENU not in text


def test_a_form_that_cannot_be_sent_any_more_says_what_to_do(organization: Organization) -> None:
    client = Client(enforce_csrf_checks=True)
    assert "load the page again" in page(client.post("/login", {"login": "ada@example.org"}), 403)


@pytest.mark.parametrize("answer", [csrf_failure, lambda request: permission_denied(request, Exception())])
def test_an_api_family_keeps_its_own_form_of_a_refusal(answer: Any) -> None:
    def ask(path: str) -> HttpResponse:
        response: HttpResponse = answer(RequestFactory().post(path))
        return response

    assert ask("/ext-api/v1/patients").content == b'{"error":"Insufficient scope"}'
    assert ask("/v1/account").content == b'{"detail":"Insufficient scope"}'


def test_staff_who_lack_a_right_read_whom_to_ask() -> None:
    staff = with_totp(User.objects.create_user("staff@example.org", is_staff=True))
    client = Client()
    client.force_login(staff)
    text = page(client.get("/admin/api_keys/apikey/find/"), 403)
    assert "whoever gives you your rights" in text
    assert MENU in text


def test_the_address_of_a_form_says_that_there_is_nothing_to_see(member: Client) -> None:
    answer = member.get("/organization/rename")
    assert "Go back to the page with the form" in page(answer, 405)
    assert answer["Allow"] == "POST"
    assert member.get("/uploads/x").json() == {"detail": "Method Not Allowed"}


def test_a_form_that_is_too_large_is_refused_as_such(member: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    text = page(member.post("/organization/switch", {"next": "x" * 2000}), 413)
    assert "send less at once" in text
    assert MENU in text


def test_the_icon_is_where_browsers_ask_for_it(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"] == "/static/helios/icon.svg"
    assert isinstance(finders.find("helios/icon.svg"), str)
    assert '<link rel="icon" href="/static/helios/icon.svg"' in client.get("/login").content.decode()

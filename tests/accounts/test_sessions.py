"""Where a person is signed in, and ending it."""

from __future__ import annotations

import re

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from apps.accounts.models import User
from tests.accounts.signing import is_signed_in, make_person, replayed, sign_in, signed_in, trail
from tests.pages import page_text

pytestmark = pytest.mark.django_db
SESSIONS = "/account/sessions"


@pytest.fixture
def user(db: None) -> User:
    return make_person()


def test_all_of_ones_own_are_listed_with_address_and_browser_and_nobody_elses(user: User) -> None:
    signed_in(make_person("other@example.org"))
    elsewhere = Client(REMOTE_ADDR="10.1.2.3", headers={"user-agent": "<b>Firefox</b>"})
    sign_in(elsewhere)
    shown = page_text(signed_in(user).get(SESSIONS))
    assert "10.1.2.3" in shown
    assert "&lt;b&gt;Firefox&lt;/b&gt;" in shown
    assert shown.count("<time") == 2
    assert shown.count("(this one)") == 1


def test_one_can_be_ended_and_its_cookie_is_then_refused(user: User) -> None:
    first, second, third = (signed_in(user) for _ in range(3))
    ended = UserSession.objects.get(session_key=first.session.session_key)
    copy = replayed(first)
    assert f'value="{ended.pk}"' in page_text(third.get(SESSIONS))
    assert third.post(SESSIONS, {"session": ended.pk}).headers["Location"] == SESSIONS
    assert [is_signed_in(client) for client in (first, copy, second, third)] == [False, False, True, True]
    assert trail()[-1] == "user.session_ended"


def test_all_others_can_be_ended_at_once(user: User) -> None:
    here, *others = (signed_in(user) for _ in range(3))
    here.post(SESSIONS)
    assert [is_signed_in(client) for client in (here, *others)] == [True, False, False]
    assert trail()[-2:] == ["user.session_ended"] * 2


@pytest.mark.parametrize("wanted", ["theirs", "0", "x", "9" * 30, "a\x00"])
def test_what_is_not_ones_own_is_not_ended(user: User, wanted: str) -> None:
    theirs = signed_in(make_person("other@example.org"))
    here, other = signed_in(user), signed_in(user)
    if wanted == "theirs":
        wanted = str(UserSession.objects.get(session_key=theirs.session.session_key).pk)
    response = here.post(SESSIONS, {"session": wanted})
    assert 'role="alert"' in page_text(response)
    assert [is_signed_in(client) for client in (theirs, here, other)] == [True] * 3
    assert "user.session_ended" not in trail()


def test_sessions_that_have_ended_are_not_listed(user: User) -> None:
    signed_in(user).post("/logout")
    here = signed_in(user)
    assert re.findall(r"<time", page_text(here.get(SESSIONS))) == ["<time"]

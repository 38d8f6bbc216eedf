"""An organisation's first key: made by a button, shown in one response."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client

from apps.accounts.audit import by_user
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys import services
from apps.api_keys.models import ApiKey
from tests.conftest import MakeKey
from tests.pages import INLINE

pytestmark = pytest.mark.django_db
PAGE = "/first-key"
KEY = re.compile(r"hlsk_\w{20,}")


@pytest.fixture
def ada(organization: Organization) -> User:
    user = User.objects.create_user("ada@example.org")
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    Membership.objects.create(organization=organization, user=user, role="admin")
    return user


def browser(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def test_the_button_makes_a_key_that_works_and_shows_it_once(ada: User, organization: Organization) -> None:
    client = browser(ada)
    assert not KEY.search(text(client.get(PAGE)))
    assert not ApiKey.objects.exists()
    shown = client.post(PAGE)
    assert shown.status_code == 200
    assert "no-store" in shown["Cache-Control"]
    raw_keys = set(KEY.findall(text(shown)))
    assert len(raw_keys) == 1
    raw_key = raw_keys.pop()
    assert 'curl --header @- http://127.0.0.1:8000/v1/account &lt;&lt;&lt; "x-api-key: $HELIOS_KEY"' in text(shown)
    assert text(shown).count(raw_key) == 1, "in no line that a shell would keep"
    assert re.search(r'<a class="button" href="/">[^<]*run the sample</a>', text(shown)), "where to go on"
    copied = re.findall('data-copy="([a-z-]+)"', text(shown))
    assert [name for name in copied if f' id="{name}"' not in text(shown)] == []
    assert len(copied) == 3
    key = ApiKey.objects.get()
    assert (key.organization, key.name, key.scopes, key.created_by) == (organization, "First key", ["*"], ada)
    assert Client(headers={"x-api-key": raw_key}).get("/v1/account").status_code == 200
    assert AuditEvent.objects.filter(action="api_key.created", actor_id=str(ada.pk)).count() == 1
    for again, status in ((client.get(PAGE), 200), (client.post(PAGE), 409)):
        assert again.status_code == status
        assert not KEY.search(text(again))
        assert 'class="button" href="/keys"' in text(again)
    assert ApiKey.objects.count() == 1


def test_an_organisation_that_had_a_key_has_no_first_one(ada: User, make_key: MakeKey) -> None:
    key, _ = make_key()
    services.revoke_key(actor=by_user(ada), key_id=key.pk, reason="over")
    assert browser(ada).post(PAGE).status_code == 409
    assert ApiKey.objects.count() == 1


def test_members_and_strangers_get_no_key(ada: User, organization: Organization) -> None:
    Membership.objects.update(role="member")
    assert browser(ada).post(PAGE).status_code == 403
    Membership.objects.all().delete()
    assert browser(ada).post(PAGE).status_code == 403
    assert Client().post(PAGE)["Location"] == f"/login?next={PAGE}"
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("changed", [{"verified": False}, {"email": "other@example.org"}])
def test_who_has_not_verified_the_address_gets_no_key(ada: User, changed: dict[str, Any]) -> None:
    EmailAddress.objects.update(**changed)
    refused = browser(ada).post(PAGE)
    assert refused.status_code == 403
    assert "Verify your e-mail address ada@example.org first" in text(refused)
    assert not ApiKey.objects.exists()


def test_signing_in_leads_to_the_first_key_as_long_as_there_is_none(ada: User) -> None:
    client = browser(ada)
    assert client.get("/start")["Location"] == PAGE
    client.post(PAGE)
    assert client.get("/start")["Location"] == "/"
    ApiKey.objects.all().delete()
    Membership.objects.update(role="member")
    assert client.get("/start")["Location"] == "/"


def test_the_button_needs_a_csrf_token(ada: User) -> None:
    client = browser(ada, enforce_csrf_checks=True)
    assert client.post(PAGE).status_code == 403
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_obeys_its_policy_without_inline_code(ada: User, method: str) -> None:
    response = getattr(browser(ada), method)(PAGE)
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert not INLINE.search(text(response))


@pytest.mark.django_db(transaction=True)
def test_two_who_press_the_button_at_once_make_one_key(ada: User) -> None:
    browsers = [browser(ada), browser(ada)]
    start = threading.Barrier(2)

    def press(client: Client) -> int:
        try:
            start.wait(timeout=10)
            return client.post(PAGE).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, browsers)) == [200, 409]
    assert ApiKey.objects.count() == 1

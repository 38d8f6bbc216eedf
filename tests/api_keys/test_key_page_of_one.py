"""The pages of one key: what it is and did, its changes, and its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import by_user
from apps.accounts.models import Organization, User
from apps.api_keys.models import ApiKey, UsageDay
from apps.api_keys.services import change_key, revoke_key
from tests.api_keys.key_pages import LIST, browser, keys_in, last_event, member_of, text
from tests.conftest import MakeKey
from tests.contract.healos.calls import call

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(organization: Organization) -> User:
    return member_of(organization)


@pytest.fixture
def client(ada: User) -> Client:
    return browser(ada)


# -- What it is, and how it changes -----------------------------------------------------------------------


def test_a_key_is_changed_on_its_page(client: Client, ada: User, make_key: MakeKey) -> None:
    key, raw_key = make_key(scopes=["usage:read"])
    path = f"{LIST}/{key.id}"
    fields = {"name": "renamed", "access": "chosen", "scopes": ["patients:read"], "allowed_cidrs": "192.0.2.0/24"}
    answer = client.post(path, fields | {"rate_limit_per_minute": ""})
    assert (answer.status_code, answer["Location"]) == (302, path)
    assert "Saved" in text(client.get(path))
    key.refresh_from_db()
    assert (key.name, key.scopes, key.allowed_cidrs) == ("renamed", ["patients:read"], ["192.0.2.0/24"])
    event = last_event("api_key.changed")
    assert (event.actor_id, event.reason) == (str(ada.pk), "changed: name, scopes, allowed_cidrs")
    assert call(raw_key) == 401  # from an address that is not allowed any more
    refused = client.post(path, fields | {"name": "", "rate_limit_per_minute": "7000"})
    assert "A key needs a name" in text(refused, 400)
    assert 'value="7000"' in refused.content.decode()


def test_a_limit_that_staff_granted_stays_when_something_else_is_saved(client: Client, make_key: MakeKey) -> None:
    key, _ = make_key(rate_limit_per_minute=5000, by_staff=True)
    fields = {"name": "renamed", "access": "everything", "rate_limit_per_minute": "5000"}
    assert client.post(f"{LIST}/{key.id}", fields).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.rate_limit_per_minute, key.rate_limit_is_granted) == ("renamed", 5000, True)
    assert "5,000 calls a minute under /v1 , 5,000" in text(client.get(f"{LIST}/{key.id}"))


def test_the_page_shows_what_the_key_did_and_what_was_done_to_it(
    client: Client, ada: User, make_key: MakeKey, organization: Organization
) -> None:
    key, other = make_key(name="mine")[0], make_key(name="other")[0]
    staff = User.objects.create_user("root@example.org", is_staff=True)
    ApiKey.objects.filter(id=key.id).update(created_by=staff)
    change_key(actor=by_user(ada), key_id=key.id, name="mine, renamed")
    change_key(actor=by_user(staff), key_id=key.id, name="mine again")
    today = timezone.now().date()
    for of, requests in ((key, 12_345), (other, 54_321)):
        UsageDay.objects.create(organization=organization, key=of, day=today, requests_2xx=requests, runs_ok=7)
    UsageDay.objects.create(organization=organization, key=key, day=today - timedelta(days=30), requests_2xx=99_999)
    page = text(client.get(f"{LIST}/{key.id}"))
    for shown in (
        "mine again",
        "12,345 calls answered, 7 runs scored",
        "changed an API key",
        "changed: name",
        ada.email,
        "staff of this",
    ):
        assert shown in page, shown
    for hidden in ("54,321", "99,999", staff.email):
        assert hidden not in page, hidden
    event = last_event("audit_event.listed")
    assert event.actor_id == str(ada.pk)
    assert str(key.id) in event.reason


# -- Its end -----------------------------------------------------------------------------------------------


def test_rotation_with_grace_lets_both_keys_work_and_then_one(client: Client, ada: User, make_key: MakeKey) -> None:
    old, old_raw = make_key(name="EHR sync", scopes=["usage:read"])
    path = f"{LIST}/{old.id}"
    assert 'value="86400" required checked' in client.get(f"{path}/rotate").content.decode()
    assert "Choose when the old key stops working" in text(client.post(f"{path}/rotate"), 400)
    answer = client.post(f"{path}/rotate", {"grace": "3600"})
    assert "till then both do" in text(answer)
    [new_raw] = keys_in(answer)
    assert (call(old_raw), call(new_raw)) == (200, 200)
    old.refresh_from_db()
    assert old.superseded_by is not None
    assert (old.superseded_by.name, old.superseded_by.scopes, old.superseded_by.created_by) == (
        "EHR sync", ["usage:read"], ada,
    )  # fmt: skip
    page = client.get(path)
    assert "Rotated works until" in text(page)
    assert "/rotate" not in page.content.decode()
    for again in (client.get(f"{path}/rotate"), client.post(f"{path}/rotate", {"grace": "0"})):
        assert "If you could not copy the new key, revoke it and make another" in text(again, 409)
        alert = again.content.decode().partition('role="alert"')[2].partition("</div>")[0]
        assert f'href="{LIST}/{old.superseded_by.id}"' in alert
        assert keys_in(again) == []
    ApiKey.objects.filter(id=old.id).update(grace_ends_at=timezone.now())
    assert (call(old_raw), call(new_raw)) == (401, 200)
    assert "it was rotated, and its grace period is over" in text(client.get(path))
    revoke_key(actor=by_user(ada), key_id=old.superseded_by.id, reason="lost")
    assert "only a live key can be rotated, once" in text(client.post(f"{path}/rotate", {"grace": "0"}), 409)


def test_rotation_at_once_ends_the_old_key(client: Client, make_key: MakeKey) -> None:
    old, old_raw = make_key()
    answer = client.post(f"{LIST}/{old.id}/rotate", {"grace": "0"})
    assert "is refused from now on" in text(answer)
    assert (call(old_raw), call(keys_in(answer)[0])) == (401, 200)


def test_a_revoked_key_is_refused_at_once_and_its_page_says_who_and_why(
    client: Client, ada: User, make_key: MakeKey
) -> None:
    key, raw_key = make_key(name="leaked")
    path = f"{LIST}/{key.id}"
    assert f'href="{path}/revoke"' in client.get(LIST).content.decode()
    asked = client.get(f"{path}/revoke")
    assert "It cannot be made to work again" in text(asked)
    assert "Say why" in text(client.post(f"{path}/revoke", {"reason": " "}), 400)
    assert call(raw_key) == 200
    answer = client.post(f"{path}/revoke", {"reason": "It was in a public log."})
    assert (answer.status_code, answer["Location"]) == (302, path)
    assert call(raw_key) == 401
    page = client.get(path)
    assert "by ada@example.org It was in a public log." in text(page)
    for gone in ("/rotate", "/revoke", 'name="access"'):
        assert gone not in page.content.decode(), gone
    event = last_event("api_key.revoked")
    assert (event.actor_id, event.reason) == (str(ada.pk), "It was in a public log.")
    for refused in (
        client.post(f"{path}/revoke", {"reason": "again"}),
        client.post(f"{path}/rotate", {"grace": "0"}),
        client.post(path, {"name": "renamed", "access": "everything"}),
    ):
        assert "ended" in text(refused, 409)
    key.refresh_from_db()
    assert (key.name, key.revoked_reason) == ("leaked", "It was in a public log.")

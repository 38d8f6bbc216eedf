"""The console's pages of keys: what they show, what they do, and whom they refuse."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization, User
from apps.api_keys.models import ApiKey
from apps.api_keys.services import revoke_key, rotate_key
from tests.api_keys.key_pages import LIST, NEW, browser, form, keys_in, last_event, member_of, text
from tests.conftest import MakeKey
from tests.contract.healos.calls import call
from tests.pages import page_text

pytestmark = pytest.mark.django_db
MOST_LIST_QUERIES = 5  # session, user, their organisations (twice: for the page and for its header), keys


@pytest.fixture
def ada(organization: Organization) -> User:
    return member_of(organization)


@pytest.fixture
def client(ada: User) -> Client:
    return browser(ada)


# -- The list ----------------------------------------------------------------------------------------------


def test_the_list_shows_each_key_and_is_narrowed_by_state(
    client: Client, ada: User, make_key: MakeKey, other_organization: Organization
) -> None:
    now = timezone.now()
    limited = {"allowed_cidrs": ["10.0.0.0/8"], "rate_limit_per_minute": 77, "created_by": ada}
    make_key(name="steady", scopes=["model_runs:read", "patients:read", "patients:write", "usage:read"], **limited)
    make_key(name="ending", expires_at=now + timedelta(days=6))
    ended = make_key(name="ended", scopes=["model_runs:read", "model_runs:write"])[0]
    ApiKey.objects.filter(id=ended.id).update(expires_at=now - timedelta(days=1))
    rotate_key(actor=SYSTEM, key_id=make_key(name="turning")[0].id, grace_seconds=3600)
    revoke_key(actor=SYSTEM, key_id=make_key(name="revoked one")[0].id, reason="over")
    make_key(name="foreign", organization=other_organization)
    page = text(client.get(LIST))
    for shown in (
        "steady", "Model runs (read), Patients (read, write) and 1 more", "10.0.0.0/8", "77 calls a minute", "never",
        "by ada@example.org", "Expires soon", "Run checks", "Everything", "Rotated works until", "any address",
    ):  # fmt: skip
        assert shown in page, shown
    assert "foreign" not in page
    names = ["steady", "ending", "ended", "turning", "revoked one"]
    wanted = {"live": "steady ending turning", "soon": "ending", "rotated": "turning", "expired": "ended"}
    for state, expected in (wanted | {"revoked": "revoked one"}).items():
        rows = client.get(LIST, {"state": state}).content.decode().partition("<tbody>")[2]
        assert [name for name in names if f">{name}</a>" in rows] == [name for name in names if name in expected], state
    assert "No key is in this state" not in page


def test_an_address_that_is_not_the_lists_is_refused_with_a_way_back(client: Client) -> None:
    for query in ({"state": "lost"}, {"cursor": "lost"}):
        assert "Show all keys" in text(client.get(LIST, query), 400)
    assert "No key is in this state" in text(client.get(LIST, {"state": "revoked"}))


def test_the_list_is_paged_and_costs_the_same_queries_however_many_keys_there_are(
    client: Client, ada: User, make_key: MakeKey, django_assert_num_queries: Any
) -> None:
    make_key(name="oldest", created_by=ada)
    client.get(LIST)
    with django_assert_num_queries(MOST_LIST_QUERIES):
        client.get(LIST)
    for _ in range(59):
        make_key(created_by=ada)
    with django_assert_num_queries(MOST_LIST_QUERIES):
        first = client.get(LIST, {"state": "live"})
    assert first.content.decode().count("<tr>") == 1 + 50
    [older] = re.findall(r'href="/keys\?([^"]+)" rel="next"', first.content.decode())
    second = client.get(f"{LIST}?{older.replace('&amp;', '&')}")
    assert second.content.decode().count("<tr>") == 1 + 10
    assert "oldest" in text(second)
    assert "oldest" not in text(first)
    assert 'rel="next"' not in second.content.decode()


def test_an_organisation_without_keys_reads_what_they_are_for(client: Client) -> None:
    page = client.get(LIST)
    assert "A key is how your backend proves who it is" in text(page)
    assert 'href="/docs/keys"' in page.content.decode()
    assert f'href="{NEW}">Make the first key' in page.content.decode()


# -- Making one --------------------------------------------------------------------------------------------


def test_a_new_key_is_shown_once_and_is_what_was_asked_for(client: Client, ada: User) -> None:
    asked = form(
        client,
        access="chosen",
        scopes=["patients:read", "model_runs:read"],
        allowed_cidrs="127.0.0.0/8\r\n2001:db8::/32",
        rate_limit_per_minute="60",
        expires_at="2030-07-01T14:30",
        zone="Europe/Berlin",
    )
    answer = client.post(NEW, asked)
    page = text(answer)
    [raw_key] = keys_in(answer)
    assert "cannot be shown again" in page
    assert (
        f'curl --header @- {settings.HELIOS_PUBLIC_BASE_URL}/v1/account &lt;&lt;&lt; "x-api-key: $HELIOS_KEY"' in page
    )
    assert "read -rs HELIOS_KEY" in page
    assert page.count(raw_key) == 1, "in no line that a shell would keep"
    assert 'data-copy="raw-key" hidden' in answer.content.decode()
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.created_by) == ("EHR sync", ["model_runs:read", "patients:read"], ada)
    assert (key.allowed_cidrs, key.rate_limit_per_minute) == (["127.0.0.0/8", "2001:db8::/32"], 60)
    assert key.expires_at == datetime(2030, 7, 1, 12, 30, tzinfo=UTC)
    assert call(raw_key) == 200
    event = last_event("api_key.created")
    assert (event.actor_id, event.object_id) == (str(ada.pk), str(key.id))
    for path in (LIST, f"{LIST}/{key.id}", NEW):
        assert keys_in(client.get(path)) == []


@pytest.mark.parametrize(
    ("access", "scopes"),
    [("everything", ["*"]), ("checks", ["model_runs:read", "model_runs:write"]), ("reading", None)],
)
def test_a_set_by_name_is_what_it_says_whatever_is_ticked(
    client: Client, access: str, scopes: list[str] | None
) -> None:
    assert text(client.post(NEW, form(client, access=access, scopes=["webhooks:write"])))
    key = ApiKey.objects.get()
    assert key.expires_at is None
    if scopes is None:
        assert len(key.scopes) == 8
        assert all(scope.endswith(":read") for scope in key.scopes)
    else:
        assert key.scopes == scopes


def test_what_was_typed_survives_errors_that_stand_beside_their_fields(client: Client) -> None:
    typed = form(
        client,
        name="Northern <sync>",
        access="chosen",
        allowed_cidrs="203.0.113.0/24\nnonsense",
        rate_limit_per_minute="0",
        expires_at="2020-01-01T10:00",
        zone="Asia/Tokyo",
    )
    answer = client.post(NEW, typed)
    page, html = text(answer, 400), answer.content.decode()
    for said in ("Choose at least one scope", "is no network", "A limit lies between", "The expiry lies in the past"):
        assert page.count(said) == 2, said  # in the box, and beside the field
    for kept in (
        'value="Northern &lt;sync&gt;"', 'value="chosen" required checked', "203.0.113.0/24\nnonsense</textarea>",
        'name="zone" value="Asia/Tokyo"', 'value="2020-01-01T10:00"', f'name="ticket" value="{typed["ticket"]}"',
    ):  # fmt: skip
        assert kept in html, kept
    assert 'role="alert"' in html
    assert not ApiKey.objects.exists()


def test_the_form_says_the_plans_limit_and_refuses_more(client: Client) -> None:
    assert "at most 600" in text(client.get(NEW))
    refused = text(client.post(NEW, form(client, rate_limit_per_minute="601")), 400)
    assert "less than or equal to 600" in refused
    assert not ApiKey.objects.exists()


def test_a_form_that_is_sent_twice_makes_one_key(client: Client) -> None:
    asked = form(client)
    [raw_key] = keys_in(client.post(NEW, asked))
    again = client.post(NEW, asked)
    assert "The form was sent twice" in text(again, 409)
    assert keys_in(again) == []
    assert ApiKey.objects.count() == 1
    assert AuditEvent.objects.filter(action="api_key.created").count() == 1
    assert call(raw_key) == 200


@pytest.mark.django_db(transaction=True)
def test_a_form_that_is_sent_twice_at_once_makes_one_key(client: Client, ada: User) -> None:
    asked, start = form(client), threading.Barrier(2)

    def press(own: Client) -> int:
        try:
            start.wait(timeout=10)
            return own.post(NEW, asked).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, [browser(ada), browser(ada)])) == [200, 409]
    assert ApiKey.objects.count() == 1


def test_a_form_of_another_organisation_makes_nothing_until_it_is_sent_once_more(
    client: Client, other_organization: Organization
) -> None:
    theirs = form(browser(member_of(other_organization, name="bob")))
    refused = client.post(NEW, theirs)
    assert "send it once more" in text(refused, 400)
    assert not ApiKey.objects.exists()
    [ticket] = re.findall(r'name="ticket" value="([^"]+)"', refused.content.decode())
    assert text(client.post(NEW, theirs | {"ticket": ticket}))


def test_without_room_the_page_says_what_to_do(client: Client, make_key: MakeKey, settings: Any) -> None:
    asked = form(client)
    make_key()
    settings.API_KEY_MAX_PER_ORG = 1
    assert "has 1 live keys, which is the most it may have. Revoke one" in text(client.get(NEW))
    assert "Revoke one first" in text(client.post(NEW, asked), 400)
    assert ApiKey.objects.count() == 1


# -- Whom they refuse --------------------------------------------------------------------------------------


def test_members_and_others_admins_are_refused_as_everywhere(
    organization: Organization, other_organization: Organization, make_key: MakeKey
) -> None:
    key, raw_key = make_key()
    member = browser(member_of(organization, "member", "mo"))
    foreign = browser(member_of(other_organization, name="bob"))
    of_one = ("", "/rotate", "/revoke")
    for path in (LIST, NEW, *(f"{LIST}/{key.id}{end}" for end in of_one)):
        for answer in (member.get(path), member.post(path, {"reason": "x", "grace": "0"})):
            assert answer.status_code in (403, 405), path
            assert answer.status_code == 405 or "Only an admin of Northern Clinic" in answer.content.decode()
    for end in of_one:
        theirs, missing = (foreign.get(f"{LIST}/{one}{end}") for one in (key.id, uuid4()))
        assert theirs.status_code == missing.status_code == 404
        assert page_text(theirs) == page_text(missing)
        assert foreign.post(f"{LIST}/{key.id}{end}", {"reason": "x", "grace": "0"}).status_code == 404
    assert 'href="/keys"' not in member.get("/usage").content.decode()
    assert 'href="/keys"' in foreign.get("/usage").content.decode()
    assert call(raw_key) == 200
    assert Client().get(LIST)["Location"] == f"/login?next={LIST}"

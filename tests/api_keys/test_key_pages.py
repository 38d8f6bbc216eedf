"""The console's pages of keys: what they show, what they do, and whom they refuse."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import SYSTEM, by_user
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys import services, tokens
from apps.api_keys.models import ApiKey, UsageDay
from apps.api_keys.services import change_key, issue_key, revoke_key, rotate_key
from tests.conftest import MakeKey
from tests.contract.healos.calls import call
from tests.pages import INLINE

pytestmark = pytest.mark.django_db
LIST, NEW = "/keys", "/keys/new"
MOST_LIST_QUERIES = 5  # session, user, their organisations (twice: for the page and for its header), keys


def member_of(organization: Organization, role: str = "admin", name: str = "ada") -> User:
    user = User.objects.create_user(f"{name}@example.org")
    Membership.objects.create(organization=organization, user=user, role=role)
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada(organization: Organization) -> User:
    return member_of(organization)


@pytest.fixture
def client(ada: User) -> Client:
    return browser(ada)


def text(answer: Any, status: int = 200) -> str:
    """What a reader sees: without tags, white space as one."""
    assert answer.status_code == status, answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert not INLINE.search(answer.content.decode())
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def keys_in(answer: Any) -> list[str]:
    return sorted(set(tokens.find_keys(answer.content.decode())))


def form(client: Client, **fields: Any) -> dict[str, Any]:
    """A filled-in form as the page gave it."""
    [ticket] = re.findall(r'name="ticket" value="([^"]+)"', client.get(NEW).content.decode())
    return {"name": "EHR sync", "access": "checks", "ticket": ticket, "zone": "UTC", **fields}


def last_event(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("id")


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
    assert f'curl --header "x-api-key: {raw_key}" {settings.HELIOS_PUBLIC_BASE_URL}/v1/account' in page
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


# -- One key -----------------------------------------------------------------------------------------------


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
    for shown in ("mine again", "12,345 calls answered, 7 runs scored", "changed: name", ada.email, "staff of this"):
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
        assert "only a live key can be rotated, once" in text(again, 409)
        assert keys_in(again) == []
    ApiKey.objects.filter(id=old.id).update(grace_ends_at=timezone.now())
    assert (call(old_raw), call(new_raw)) == (401, 200)
    assert "it was rotated, and its grace period is over" in text(client.get(path))


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
        without_csrf = [re.sub(rb'(csrfmiddlewaretoken" value=")\w+', b"", one.content) for one in (theirs, missing)]
        assert without_csrf[0] == without_csrf[1]
        assert foreign.post(f"{LIST}/{key.id}{end}", {"reason": "x", "grace": "0"}).status_code == 404
    assert 'href="/keys"' not in member.get("/usage").content.decode()
    assert 'href="/keys"' in foreign.get("/usage").content.decode()
    assert call(raw_key) == 200
    assert Client().get(LIST)["Location"] == f"/login?next={LIST}"


def test_an_id_that_was_used_issues_no_second_key(organization: Organization) -> None:
    key_id = uuid4()
    issue = {"actor": SYSTEM, "organization": organization, "name": "once", "scopes": ["*"], "key_id": key_id}
    assert issue_key(**issue)[0].id == key_id
    with pytest.raises(services.IssuedAlready):
        issue_key(**issue)

"""Keys in the staff's admin."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization, User
from apps.api_keys import services, tokens
from apps.api_keys.models import ApiKey
from tests.conftest import with_totp

pytestmark = pytest.mark.django_db
Issue = Callable[..., tuple[ApiKey, str]]
LIST = "/admin/api_keys/apikey/"
ADD = f"{LIST}add/"


def call(raw_key: str) -> int:
    return Client().get("/v1/account", headers={"x-api-key": raw_key}).status_code


def text(response: Any) -> str:
    return str(response.content.decode())


# -- Finding ------------------------------------------------------------------------------------------


def test_staff_find_a_key_by_prefix_name_and_organisation(
    admin: Client, make_key: Issue, other_organization: Organization
) -> None:
    wanted, raw_key = make_key(name="EHR nightly sync", organization=other_organization)
    other, _ = make_key(name="billing")
    searches = (raw_key[:9], raw_key, "NIGHTLY", "southern", f"southern sync {raw_key[:12]}")
    for search in searches:
        page = text(admin.get(LIST, {"q": search}))
        assert f"{wanted.key_prefix}…" in page, search
        assert f"{other.key_prefix}…" not in page, search
    assert f"{wanted.key_prefix}…" not in text(admin.get(LIST, {"q": "no such thing"}))


def test_the_list_shows_status_and_last_use_but_never_a_digest(admin: Client, make_key: Issue) -> None:
    keys = [make_key(name=name)[0] for name in ("live", "gone", "old")]
    services.revoke_key(actor=SYSTEM, key_id=keys[1].pk, reason="leak")
    ApiKey.objects.filter(pk=keys[2].pk).update(expires_at=timezone.now())
    page = text(admin.get(LIST))
    statuses = dict(
        zip(
            re.findall(r'field-name">(?:<a[^>]*>)?(\w+)', page),
            re.findall(r'field-current_status">(\w+)', page),
            strict=True,
        )
    )
    assert statuses == {"live": "active", "gone": "revoked", "old": "expired"}
    for status, name in [("active", "live"), ("revoked", "gone"), ("expired", "old")]:
        assert re.findall(r'field-name">(\w+)', text(admin.get(LIST, {"status": status}))) == [name]
    for key in keys:
        change = text(admin.get(f"{LIST}{key.pk}/change/"))
        assert bytes(key.digest).hex() not in page + change
        assert "digest" not in change
        assert key.pepper_version not in change


def test_live_keys_that_nobody_may_look_after_are_marked_and_found(admin: Client, make_key: Issue) -> None:
    now = timezone.now()
    soon, long_ago = now + timedelta(days=9), now - timedelta(days=91)
    rows: dict[str, dict[str, Any]] = {
        "lasting": {},
        "fine": {"expires_at": soon},
        "unused": {"expires_at": soon, "created_at": long_ago},
        "idle": {"expires_at": soon, "created_at": long_ago, "last_used_at": now - timedelta(days=90, minutes=1)},
        "used": {"expires_at": soon, "created_at": long_ago, "last_used_at": now - timedelta(days=89)},
        "both": {"created_at": long_ago},
        "gone": {"created_at": long_ago, "revoked_at": now},
        "over": {"expires_at": now, "created_at": long_ago},
    }
    for name, changes in rows.items():
        ApiKey.objects.filter(pk=make_key(name=name)[0].pk).update(**changes)

    def listed(query: dict[str, str]) -> dict[str, str]:
        page = text(admin.get(LIST, query))
        names = re.findall(r'field-name">(?:<a[^>]*>)?(\w+)', page)
        return dict(zip(names, re.findall(r'field-attention">([^<]*)', page), strict=True))

    unused = "unused for 90 days"
    assert listed({}) == {
        "lasting": "never expires", "fine": "-", "unused": unused, "idle": unused, "used": "-",
        "both": f"never expires, {unused}", "gone": "-", "over": "-",
    }  # fmt: skip
    assert set(listed({"attention": "lasting"})) == {"lasting", "both"}
    assert set(listed({"attention": "unused"})) == {"unused", "idle", "both"}


def test_a_whole_key_in_the_search_box_finds_it_and_is_not_shown_again(admin: Client, make_key: Issue) -> None:
    _, raw_key = make_key(name="wanted")
    page = text(admin.get(LIST, {"q": raw_key}))
    assert "wanted" in page
    assert raw_key[12:] not in page


def fill(organization: Organization, first: int, last: int) -> None:
    """Keys of the table's own making: nobody holds them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO api_keys_apikey (id, organization_id, name, key_prefix, digest, pepper_version, scopes,
                                         revoked_reason, allowed_cidrs, created_at)
            SELECT gen_random_uuid(), %s, 'name ' || n, 'hlsk_' || lpad(n::text, 7, '0'), sha256(n::text::bytea), '',
                   '{*}', '', '{}', now() - n * interval '1 second'
            FROM generate_series(%s, %s) AS n
            """,
            [organization.pk, first, last],
        )


def test_the_list_costs_the_same_few_queries_with_ten_thousand_keys(admin: Client, organization: Organization) -> None:
    searches: list[dict[str, str]] = [
        {}, {"q": "name 77"}, {"status": "active"}, {"p": "3"}, {"q": "xy"}, {"_facets": "True"}, *FILTERS,
    ]  # fmt: skip

    def statements(query: dict[str, str]) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(LIST, query).status_code == 200
        return [one["sql"] for one in captured]

    fill(organization, 1, 300)
    few = [len(statements(query)) for query in searches]
    fill(organization, 301, 10_000)
    many = [statements(query) for query in searches]
    assert [len(one) for one in many] == few
    assert max(few) <= 7  # of which one for the authenticator app, and one for each word of a search
    for one in many:
        (counting,) = [sql for sql in one if "COUNT(" in sql]
        assert "LIMIT 1000" in counting


SEARCHES = [{"q": "name 777"}, {"q": "hlsk_00"}, {"q": "northern"}, {"q": "xy"}]
FILTERS = [{"attention": "lasting"}, {"attention": "unused"}]


@pytest.mark.parametrize("query", [*SEARCHES, *FILTERS])
def test_every_search_and_filter_can_use_an_index(
    admin: Client, organization: Organization, query: dict[str, str]
) -> None:
    fill(organization, 1, 100)
    with CaptureQueriesContext(connection) as captured:
        admin.get(LIST, query)
    counting = next(one["sql"] for one in captured if "COUNT(" in one["sql"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # the table is too small for an index to pay
        cursor.execute("EXPLAIN " + counting)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on api_keys_apikey" not in plan
    # The partial indexes need no condition: which of the two is taken depends on what PostgreSQL last counted.
    assert any(sign in plan for sign in ("Index Cond", "api_key_newest_lasting", "api_key_quiet"))


def test_the_list_says_when_there_is_more_than_it_pages_through(admin: Client, organization: Organization) -> None:
    fill(organization, 1, 1001)
    assert "More than the first 1,000 are not listed" in text(admin.get(LIST))
    assert "1,000 or more found" in text(admin.get(LIST, {"q": "name"}))
    assert ">100 found" in text(admin.get(LIST, {"q": "hlsk_00007"}))
    assert admin.get(LIST, {"p": "20"}).status_code == 200


# -- Issuing ------------------------------------------------------------------------------------------


def filled(organization: Organization, /, **changes: Any) -> dict[str, Any]:
    form = {
        "organization": str(organization.pk),
        "name": "EHR sync",
        "scopes": ["model_runs:read", "model_runs:write"],
        "expires_at_0": "",
        "expires_at_1": "",
        "allowed_cidrs": "10.0.0.0/8\n2001:db8::/32",
        "rate_limit_per_minute": "50",
    }
    return form | changes


def test_issuing_shows_the_raw_key_in_that_one_response(admin: Client, staff: User, organization: Organization) -> None:
    assert admin.get(ADD).status_code == 200
    response = admin.post(ADD, filled(organization))
    (raw_key,) = tokens.find_keys(text(response))
    assert "no-store" in response.headers["Cache-Control"]
    key = ApiKey.objects.get()
    assert bytes(key.digest) == tokens.digest(raw_key)
    assert (key.name, key.scopes, key.rate_limit_per_minute, key.created_by) == (
        "EHR sync",
        ["model_runs:read", "model_runs:write"],
        50,
        staff,
    )
    assert key.allowed_cidrs == ["10.0.0.0/8", "2001:db8::/32"]
    event = AuditEvent.objects.get(action="api_key.created")
    assert (event.actor_type, event.actor_id) == ("staff", str(staff.pk))

    later = [text(admin.get(page)) for page in (LIST, f"{LIST}{key.pk}/change/", f"{LIST}{key.pk}/history/", "/admin/")]
    assert raw_key not in "".join(later)
    assert raw_key not in str(dict(response.cookies)) + str(admin.cookies)
    assert all(raw_key not in str(session.get_decoded()) for session in Session.objects.all())
    ApiKey.objects.update(allowed_cidrs=[])
    assert call(raw_key) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x" * 101},
        {"scopes": []},
        {"scopes": ["foo:read"]},
        {"expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"},
        {"allowed_cidrs": "10.0.0.1/8"},
        {"allowed_cidrs": "nonsense"},
        {"rate_limit_per_minute": "0"},
        {"rate_limit_per_minute": "-1"},
        {"rate_limit_per_minute": "1000001"},
        {"organization": ""},
    ],
)
def test_a_form_with_a_mistake_issues_nothing(
    admin: Client, organization: Organization, changes: dict[str, Any]
) -> None:
    response = admin.post(ADD, filled(organization, **changes))
    assert response.status_code == 200
    assert "errorlist" in text(response)
    assert tokens.find_keys(text(response)) == []
    assert not ApiKey.objects.exists()


def test_an_organisation_without_room_is_told_so(
    admin: Client, organization: Organization, make_key: Issue, settings: Any
) -> None:
    make_key()
    settings.API_KEY_MAX_PER_ORG = 1
    assert "the most it may have" in text(admin.post(ADD, filled(organization)))
    assert ApiKey.objects.count() == 1


# -- Changing -----------------------------------------------------------------------------------------


def test_changing_is_recorded_and_holds_from_the_next_request(admin: Client, make_key: Issue) -> None:
    key, raw_key = make_key(name="EHR sync", scopes=["*"])
    form = {"name": "EHR sync", "scopes": ["model_runs:read"], "allowed_cidrs": "", "rate_limit_per_minute": ""}
    assert admin.post(f"{LIST}{key.pk}/change/", form).status_code == 302
    key.refresh_from_db()
    assert key.scopes == ["model_runs:read"]
    assert AuditEvent.objects.get(action="api_key.changed").reason == "changed: scopes"
    response = Client(headers={"x-api-key": raw_key}).post("/v1/models/mental-wellness")
    assert response.status_code == 403


def test_organisation_expiry_and_secrets_of_a_key_cannot_be_changed(
    admin: Client, make_key: Issue, other_organization: Organization
) -> None:
    key, _ = make_key(name="EHR sync")
    before = ApiKey.objects.values().get()
    form = filled(
        other_organization,
        scopes=["*"],
        allowed_cidrs="",
        rate_limit_per_minute="",
        expires_at_0="2099-01-01",
        expires_at_1="00:00:00",
        digest="x",
        key_prefix="x",
        revoked_at_0="2020-01-01",
        created_by="",
    )
    form["name"] = "EHR sync"
    assert admin.post(f"{LIST}{key.pk}/change/", form).status_code == 302
    assert ApiKey.objects.values().get() == before | {"digest": before["digest"]}


def test_a_revoked_key_cannot_be_changed(admin: Client, make_key: Issue) -> None:
    key, _ = make_key(name="before")
    assert 'name="_save"' in text(admin.get(f"{LIST}{key.pk}/change/"))
    services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="leak")
    assert 'name="_save"' not in text(admin.get(f"{LIST}{key.pk}/change/"))
    admin.post(f"{LIST}{key.pk}/change/", {"name": "after", "scopes": ["*"], "allowed_cidrs": ""})
    key.refresh_from_db()
    assert key.name == "before"


# -- Revoking -----------------------------------------------------------------------------------------


def test_the_button_asks_for_a_reason_then_the_next_request_is_refused(
    admin: Client, staff: User, make_key: Issue
) -> None:
    key, raw_key = make_key()
    page = f"{LIST}{key.pk}/revoke/"
    assert page in text(admin.get(f"{LIST}{key.pk}/change/"))
    assert key.key_prefix in text(admin.get(page))
    for reason in ("", "   "):
        assert "errorlist" in text(admin.post(page, {"reason": reason}))
    assert call(raw_key) == 200
    assert admin.post(page, {"reason": "found in a log"}).status_code == 302
    assert call(raw_key) == 401
    key.refresh_from_db()
    assert (key.revoked_by, key.revoked_reason) == (staff, "found in a log")
    change = text(admin.get(f"{LIST}{key.pk}/change/"))
    assert "Revoked:" in change
    assert page not in change
    history = text(admin.get(f"{LIST}{key.pk}/history/"))
    assert "found in a log" in history
    assert f"Staff {staff.email}" in history


def test_a_get_revokes_nothing(admin: Client, make_key: Issue) -> None:
    key, raw_key = make_key()
    admin.get(f"{LIST}{key.pk}/revoke/", {"reason": "x"})
    assert call(raw_key) == 200


def test_many_are_revoked_at_once_with_one_reason(admin: Client, make_key: Issue) -> None:
    keys = [make_key(name=f"key {number}") for number in range(4)]
    services.revoke_key(actor=SYSTEM, key_id=keys[0][0].pk, reason="earlier")
    ticked = {"action": "revoke_selected", "_selected_action": [str(key.pk) for key, _ in keys[:3]]}
    asked = text(admin.post(LIST, ticked))
    assert all(key.key_prefix in asked for key, _ in keys[:3])
    assert [call(raw_key) for _, raw_key in keys] == [401, 200, 200, 200]
    assert "errorlist" in text(admin.post(LIST, ticked | {"reason": " "}))
    # "All pages" is no way to revoke what nobody has looked at.
    done = admin.post(LIST, ticked | {"reason": "laptop stolen", "select_across": "1"}, follow=True)
    assert [call(raw_key) for _, raw_key in keys] == [401, 401, 401, 200]
    assert "2 API keys" in text(done)
    assert "1 already revoked" in text(done)
    reasons = ApiKey.objects.filter(revoked_at__isnull=False).values_list("revoked_reason", flat=True)
    assert sorted(reasons) == ["earlier", "laptop stolen", "laptop stolen"]


def test_keys_cannot_be_deleted(admin: Client, make_key: Issue) -> None:
    key, _ = make_key()
    assert admin.post(f"{LIST}{key.pk}/delete/", {"post": "yes"}).status_code == 403
    admin.post(LIST, {"action": "delete_selected", "_selected_action": [str(key.pk)], "post": "yes"})
    assert ApiKey.objects.filter(pk=key.pk).exists()


def test_a_page_of_no_key_leads_back(admin: Client) -> None:
    for name in ("00000000-0000-4000-8000-000000000000", "nonsense", "hlsk_x"):
        assert admin.get(f"{LIST}{name}/revoke/").status_code == 302
        assert admin.get(f"{LIST}{name}/history/").status_code == 302


def test_only_staff_with_the_permission_revoke(make_key: Issue) -> None:
    key, raw_key = make_key()
    plain = User.objects.create_user("member@example.org")
    limited = with_totp(User.objects.create_user("limited@example.org", is_staff=True))
    for user, status in ((plain, 302), (limited, 403)):
        client = Client()
        client.force_login(user)
        assert client.post(f"{LIST}{key.pk}/revoke/", {"reason": "x"}).status_code == status
        assert client.get(LIST).status_code == status
    assert Client().post(f"{LIST}{key.pk}/revoke/", {"reason": "x"}).status_code == 302
    assert call(raw_key) == 200


def test_revoking_needs_a_csrf_token(staff: User, make_key: Issue) -> None:
    key, raw_key = make_key()
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    assert client.post(f"{LIST}{key.pk}/revoke/", {"reason": "x"}).status_code == 403
    assert call(raw_key) == 200

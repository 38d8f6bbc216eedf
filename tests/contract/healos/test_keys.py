"""`/api/v1/ext-api-keys`: who may, what it answers and lists. Numbers are the contract's lines."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization
from apps.api_keys import services, tokens
from apps.api_keys.models import ApiKey
from helios_site.env import Rate
from tests.conftest import MakeKey
from tests.contract.healos.calls import BODY, INVALID, KEYS, call, create, in_hours, send
from tests.contract.healos.conftest import SignIn

pytestmark = pytest.mark.django_db
LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


# -- Creating -----------------------------------------------------------------------------------------


def test_healos_16_an_admin_creates_a_key_and_sees_it_once(admin: Client, organization: Organization) -> None:
    expires_at = in_hours(24)
    answer = create(admin, expires_at=expires_at, allowed_cidrs=["10.0.0.0/8"], rate_limit_per_minute=50)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    data = answer.json()["data"]
    assert list(answer.json()) == ["data"]
    raw_key = data.pop("key")
    key = ApiKey.objects.get()
    assert bytes(key.digest) == tokens.digest(raw_key)
    assert key.organization == organization
    assert key.created_by is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data.pop("created_at"))
    assert data == {
        "id": str(key.id),
        "name": "EHR sync",
        "key_prefix": raw_key[:12],
        "scopes": ["model_runs:read"],
        "expires_at": expires_at,
        "revoked_at": None,
        "last_used_at": None,
        "allowed_cidrs": ["10.0.0.0/8"],
        "rate_limit_per_minute": 50,
        "status": "active",
        "grace_ends_at": None,
        "superseded_by": None,
    }
    event = AuditEvent.objects.get(action="api_key.created")
    assert (event.actor_type, event.actor_id) == ("user", str(key.created_by_id))


def test_a_created_key_works(admin: Client) -> None:
    assert call(create(admin).json()["data"]["key"]) == 200


def test_healos_20_the_raw_key_is_in_no_later_reply(admin: Client) -> None:
    data = create(admin).json()["data"]
    later = [admin.get(KEYS), admin.get(f"{KEYS}/{data['id']}"), send(admin, "PATCH", f"{KEYS}/{data['id']}", {})]
    later.append(send(admin, "DELETE", f"{KEYS}/{data['id']}"))
    assert [answer.status_code for answer in later] == [200] * 4
    assert data["key"][12:] not in "".join(answer.content.decode() for answer in later)


def test_healos_17_19_who_may_not_create(
    sign_in: SignIn, organization: Organization, make_key: MakeKey, foreign_admin: Client
) -> None:
    member, nobody = sign_in(organization, "member"), sign_in(None)
    with_key = Client(headers={"x-api-key": make_key()[1]})
    staff = sign_in(None, is_staff=True, is_superuser=True)
    before = ApiKey.objects.count()
    seen = [create(client).status_code for client in (member, nobody, staff, Client(), with_key)]
    assert seen == [403, 403, 403, 401, 401]
    assert ApiKey.objects.count() == before
    assert create(member).json() == {"error": "Only an admin of the organisation may do this"}
    refused = create(Client())
    assert refused.json() == {"error": "Sign in to manage API keys"}
    assert refused.headers["WWW-Authenticate"] == "Session"


def test_healos_18_a_user_without_organisation_makes_no_key(sign_in: SignIn, organization: Organization) -> None:
    client = sign_in(organization)
    Organization.objects.update(is_active=False)
    assert create(client).status_code == 403
    Membership.objects.all().delete()
    assert create(client).status_code == 403
    assert not ApiKey.objects.exists()


def test_an_admin_who_was_demoted_or_signed_out_may_do_nothing_from_the_next_request_on(admin: Client) -> None:
    key_id = create(admin).json()["data"]["id"]
    Membership.objects.update(role="member")
    assert send(admin, "DELETE", f"{KEYS}/{key_id}").status_code == 403
    Membership.objects.update(role="admin")
    session = admin.cookies["sessionid"].value
    admin.logout()
    replayed = Client()
    replayed.cookies["sessionid"] = session
    assert replayed.get(KEYS).status_code == 401


@pytest.mark.parametrize(("method", "path"), [("POST", KEYS), ("PATCH", "{}"), ("DELETE", "{}"), ("POST", "{}/rotate")])
def test_every_write_needs_a_csrf_token(admin: Client, method: str, path: str) -> None:
    data = create(admin).json()["data"]
    before = ApiKey.objects.values().get()
    without = Client(enforce_csrf_checks=True)
    without.cookies["sessionid"] = admin.cookies["sessionid"].value
    answer = send(without, method, path.format(f"{KEYS}/{data['id']}"), BODY)
    assert answer.status_code == 403
    assert answer.json() == {"error": "CSRF Failed: CSRF cookie not set."}
    assert ApiKey.objects.values().get() == before


# -- Reading ------------------------------------------------------------------------------------------


def test_healos_21_the_list_has_all_keys_newest_first(
    admin: Client, sign_in: SignIn, organization: Organization, make_key: MakeKey, other_organization: Organization
) -> None:
    make_key(organization=other_organization)
    keys = [make_key(name=f"key {number}")[0] for number in range(5)]
    services.revoke_key(actor=SYSTEM, key_id=keys[0].pk, reason="x")
    ApiKey.objects.filter(pk=keys[1].pk).update(expires_at=timezone.now())
    answer = admin.get(KEYS)
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(answer.json()) == ["data", "meta"]
    assert answer.json()["meta"] == {"page": 1, "limit": 20, "total_pages": 1}
    listed = [(key["name"], key["status"]) for key in answer.json()["data"]]
    assert listed == [(f"key {n}", "active") for n in (4, 3, 2)] + [("key 1", "expired"), ("key 0", "revoked")]
    pages = [admin.get(KEYS, {"page": page, "limit": 2}).json() for page in (1, 2, 3, 4)]
    assert [len(page["data"]) for page in pages] == [2, 2, 1, 0]
    assert {page["meta"]["total_pages"] for page in pages} == {3}
    assert [key["name"] for page in pages for key in page["data"]] == [name for name, _ in listed]
    assert admin.get(KEYS, {"limit": 1000}).json()["meta"]["limit"] == 100
    assert sign_in(organization, "member").get(KEYS).status_code == 403


def test_an_organisation_without_keys_has_no_pages(admin: Client) -> None:
    assert admin.get(KEYS).json() == {"data": [], "meta": {"page": 1, "limit": 20, "total_pages": 0}}
    assert admin.get(KEYS, {"page": 2**53 - 1}).json()["data"] == []


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("page", "0", "Number must be greater than or equal to 1"),
        ("page", "-1", "Number must be greater than or equal to 1"),
        ("limit", "0", "Number must be greater than or equal to 1"),
        ("limit", "x", "Expected number, received nan"),
        ("page", "1.5", "Expected number, received nan"),
        ("page", "\u0661", "Expected number, received nan"),
        ("page", "", "Expected number, received nan"),
        ("page", "9" * 25, "Number must be less than or equal to 9007199254740991"),
        ("page", "9" * 5000, "Expected number, received nan"),
        ("limit", "1\x00", "Expected number, received nan"),
    ],
)
def test_healos_60_a_wrong_page_is_named(admin: Client, name: str, value: str, message: str) -> None:
    answer = admin.get(KEYS, {name: value})
    assert (answer.status_code, answer.json()) == (400, {"error": INVALID, "details": {name: [message]}})


@pytest.mark.parametrize(
    "name",
    ["abc", "00000000-0000-4000-8000-000000000000", "{}", "00000000-0000-4000-8000-00000000000G", "x" * 3000, "%00"],
)
def test_absent_malformed_and_foreign_ids_answer_alike(admin: Client, foreign_admin: Client, name: str) -> None:
    foreign_id = create(foreign_admin).json()["data"]["id"]
    expected = (404, {"error": "API key not found"})
    for method, tail in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")):
        answers = [send(admin, method, f"{KEYS}/{one}{tail}", {}) for one in (name, foreign_id)]
        assert [(answer.status_code, answer.json()) for answer in answers] == [expected, expected]
    assert ApiKey.objects.get().revoked_at is None


# -- Transport ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("PUT", KEYS, "GET, POST, HEAD"), ("OPTIONS", KEYS, "GET, POST, HEAD"), ("DELETE", KEYS, "GET, POST, HEAD")],
)
def test_a_method_that_is_missing_is_405_before_403(
    sign_in: SignIn, organization: Organization, method: str, path: str, allow: str
) -> None:
    answer = send(sign_in(organization, "member"), method, path, {})
    assert (answer.status_code, answer.json()) == (405, {"error": "Method not allowed"})
    assert set(answer.headers["Allow"].split(", ")) == set(allow.split(", "))


def test_healos_92_93_every_reply_carries_the_limits_of_the_session(admin: Client, settings: Any) -> None:
    settings.HEALOS_RATE_LIMIT = Rate(4, 60)
    answers = [
        admin.get(KEYS),
        create(admin, name=""),
        admin.get(f"{KEYS}/x"),
        send(admin, "PUT", KEYS),
        admin.get(KEYS),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 404, 405, 429]
    assert [answer.headers[LIMIT_HEADERS[1]] for answer in answers] == ["3", "2", "1", "0", "0"]
    assert answers[-1].json() == {"error": "Rate limit exceeded"}
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_healos_104_who_is_not_signed_in_is_counted_by_address(settings: Any) -> None:
    settings.RATE_LIMIT_FAILED_AUTH = Rate(2, 60)
    assert [Client().get(KEYS).status_code for _ in range(3)] == [401, 401, 429]


def test_healos_99_a_slash_at_the_end_answers_without_a_redirect(admin: Client) -> None:
    assert send(admin, "POST", f"{KEYS}/", BODY).status_code == 201
    assert admin.get(f"{KEYS}/").status_code == 200


def test_healos_97_an_unknown_path_is_a_404_in_json(admin: Client) -> None:
    answer = admin.get("/api/v1/nothing")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not found"})
    assert all(name in answer.headers for name in LIMIT_HEADERS)


def test_healos_112_accept_has_no_say(admin: Client) -> None:
    answer = admin.get(f"{KEYS}?format=xml", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_the_raw_key_is_nowhere_in_the_database(admin: Client) -> None:
    raw_key = create(admin).json()["data"]["key"]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS row WHERE row::text LIKE %s', [f"%{raw_key[12:]}%"])  # noqa: S608
            assert cursor.fetchone() == (0,), table


# -- The browsable form -------------------------------------------------------------------------------


def test_an_admin_issues_a_key_with_a_form_and_sees_it_once(admin: Client) -> None:
    path = f"/browse{KEYS}"
    page = admin.get(path, headers={"accept": "text/html"}).content.decode()
    for field in ("name", "scopes", "allowed_cidrs", "rate_limit_per_minute", "expires_at"):
        assert f'name="{field}"' in page
    form = {
        "name": "by hand", "scopes": ["model_runs:read", "audit:read"], "allowed_cidrs": "10.0.0.0/8 127.0.0.1",
        "rate_limit_per_minute": "50", "expires_at": "",
    }  # fmt: skip
    made = admin.post(path, form, headers={"accept": "text/html"})
    assert made.status_code == 201
    (raw_key,) = tokens.find_keys(made.content.decode())
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.allowed_cidrs, key.rate_limit_per_minute) == (
        "by hand", ["model_runs:read", "audit:read"], ["10.0.0.0/8", "127.0.0.1/32"], 50,
    )  # fmt: skip
    assert tokens.find_keys(admin.get(f"{path}/{key.pk}", headers={"accept": "text/html"}).content.decode()) == []
    assert call(raw_key) == 200
    wrong = admin.post(path, form | {"rate_limit_per_minute": "many"}, headers={"accept": "application/json"})
    assert wrong.json()["details"] == {"rate_limit_per_minute": ["Expected number, received string"]}

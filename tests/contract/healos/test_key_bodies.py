"""What a body may hold at `/api/v1/ext-api-keys`, and how a wrong one is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.accounts.models import Organization
from apps.api_keys.models import ApiKey
from apps.api_keys.scopes import API_KEY_SCOPES
from tests.contract.healos.calls import BODY, INVALID, KEYS, call, create, send

pytestmark = pytest.mark.django_db

_KNOWN = " | ".join(f"'{scope}'" for scope in API_KEY_SCOPES)
WRONG_FIELDS: list[tuple[str, Any, str]] = [
    ("name", "", "String must contain at least 1 character(s)"),
    ("name", "x" * 101, "String must contain at most 100 character(s)"),
    ("name", 5, "Expected string, received number"),
    ("name", None, "Expected string, received null"),
    ("name", True, "Expected string, received boolean"),
    ("name", ["a"], "Expected string, received array"),
    ("name", {}, "Expected string, received object"),
    ("name", "a\x00b", "String must not contain NUL or lone surrogates"),
    ("name", "a\nb", "A name holds no control characters."),
    ("scopes", [], "Array must contain at least 1 element(s)"),
    ("scopes", "model_runs:read", "Expected array, received string"),
    ("scopes", ["foo:read"], f"Invalid enum value. Expected {_KNOWN}, received 'foo:read'"),
    ("scopes", ["MODEL_RUNS:READ"], f"Invalid enum value. Expected {_KNOWN}, received 'MODEL_RUNS:READ'"),
    ("scopes", [5], f"Expected {_KNOWN}, received number"),
    ("scopes", [["*"]], f"Expected {_KNOWN}, received array"),
    ("scopes", ["*", "*"], "Array must not contain an element twice"),
    ("expires_at", "2020-01-01T00:00:00Z", "The expiry lies in the past."),
    ("expires_at", "2099-01-01", "Invalid datetime"),
    ("expires_at", "2099-01-01T00:00:00", "Invalid datetime"),
    ("expires_at", "2099-02-30T00:00:00Z", "Invalid datetime"),
    ("expires_at", "9999-12-31T23:59:59-12:00", "Invalid datetime"),
    ("expires_at", "tomorrow", "Invalid datetime"),
    ("expires_at", "", "Invalid datetime"),
    ("expires_at", 4070908800, "Expected string, received number"),
    ("allowed_cidrs", "10.0.0.0/8", "Expected array, received string"),
    ("allowed_cidrs", None, "Expected array, received null"),
    ("allowed_cidrs", [8], "Expected string, received number"),
    ("allowed_cidrs", ["10.0.0.1/8"], "'10.0.0.1/8' is no network: write 203.0.113.0/24 or 2001:db8::/32."),
    ("allowed_cidrs", ["10.0.0.0/33"], "'10.0.0.0/33' is no network: write 203.0.113.0/24 or 2001:db8::/32."),
    ("allowed_cidrs", ["nonsense"], "'nonsense' is no network: write 203.0.113.0/24 or 2001:db8::/32."),
    ("allowed_cidrs", ["a\x00"], "String must not contain NUL or lone surrogates"),
    ("allowed_cidrs", [f"10.0.{n}.0/24" for n in range(51)], "Array must contain at most 50 element(s)"),
    ("rate_limit_per_minute", 0, "Number must be greater than or equal to 1"),
    ("rate_limit_per_minute", -5, "Number must be greater than or equal to 1"),
    ("rate_limit_per_minute", 1_000_001, "Number must be less than or equal to 1000000"),
    ("rate_limit_per_minute", 10**40, "Number must be less than or equal to 1000000"),
    ("rate_limit_per_minute", 1.5, "Expected integer, received float"),
    ("rate_limit_per_minute", "50", "Expected number, received string"),
    ("rate_limit_per_minute", True, "Expected number, received boolean"),
]


@pytest.mark.parametrize(("field", "value", "message"), WRONG_FIELDS)
def test_healos_23_to_25_a_wrong_field_is_named_and_nothing_is_stored(
    admin: Client, field: str, value: Any, message: str
) -> None:
    answer = create(admin, **{field: value})
    assert (answer.status_code, answer.json()) == (400, {"error": INVALID, "details": {field: [message]}})
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "field", ["organization", "organization_id", "role", "digest", "key", "created_by", "revoked_at", "is_staff", "id"]
)
def test_nobody_assigns_an_organisation_a_role_or_a_secret(
    admin: Client, other_organization: Organization, field: str
) -> None:
    answer = create(admin, **{field: str(other_organization.pk)})
    assert answer.status_code == 400
    assert answer.json()["details"] == {field: [f"Unrecognized key(s) in object: '{field}'"]}
    assert not ApiKey.objects.exists()


def test_every_wrong_field_is_named_at_once(admin: Client) -> None:
    answer = send(admin, "POST", KEYS, {"scopes": 1, "foo": 2})
    assert answer.json()["details"] == {
        "name": ["Required"],
        "scopes": ["Expected array, received number"],
        "foo": ["Unrecognized key(s) in object: 'foo'"],
    }


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"", "application/json", {"error": "Invalid JSON body"}),
        (b"{", "application/json", {"error": "Invalid JSON body"}),
        (b'{"name": NaN}', "application/json", {"error": "Invalid JSON body"}),
        (b'{"name": "\\ud800"}', "application/json", {"error": "Invalid JSON body"}),
        (b'{"\\ud800": 1}', "application/json", {"error": "Invalid JSON body"}),
        (b"\xff\xfe\xfd", "application/json", {"error": "Invalid JSON body"}),
        (b"[" * 100_000, "application/json", {"error": "Invalid JSON body"}),
        (b"[]", "application/json", {"error": INVALID, "details": {}}),
        (b"null", "application/json", {"error": INVALID, "details": {}}),
        (b"{}", "text/plain", {"error": "Content-Type must be application/json"}),
        (b"name=x", "application/x-www-form-urlencoded", {"error": "Content-Type must be application/json"}),
        (b" " * 1_048_577, "application/json", {"error": "The body has more than 1048576 bytes"}),
    ],
)
def test_healos_96_a_malformed_body_is_a_400(admin: Client, body: bytes, content_type: str, expected: Any) -> None:
    answer = admin.generic("POST", KEYS, body, content_type=content_type)
    assert (answer.status_code, answer.json()) == (400, expected)


def test_a_charset_after_the_type_is_welcome_and_whole_floats_are_whole(admin: Client) -> None:
    body = json.dumps(BODY | {"rate_limit_per_minute": 5.0})
    answer = admin.generic("POST", KEYS, body, content_type="application/json; charset=utf-8")
    assert answer.status_code == 201
    assert answer.json()["data"]["rate_limit_per_minute"] == 5


def test_offsets_become_utc_and_milliseconds_stay(admin: Client) -> None:
    answer = create(admin, expires_at="2099-01-01T02:30:00.1239+02:00")
    assert answer.json()["data"]["expires_at"] == "2099-01-01T00:30:00.123Z"


def test_an_expiry_in_the_same_instant_is_in_the_past(admin: Client) -> None:
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False):
        assert create(admin, expires_at="2030-01-01T00:00:00Z").status_code == 400
        raw_key = create(admin, expires_at="2030-01-01T00:00:00.001Z").json()["data"]["key"]
        assert call(raw_key) == 200
    with time_machine.travel("2030-01-01T00:00:00.001Z", tick=False):
        assert call(raw_key) == 401


def test_an_organisation_without_room_is_told_so(admin: Client, settings: Any) -> None:
    settings.API_KEY_MAX_PER_ORG = 1
    assert create(admin).status_code == 201
    answer = create(admin)
    assert answer.status_code == 400
    assert "the most it may have" in answer.json()["error"]


@pytest.mark.parametrize(("field", "value", "message"), [row for row in WRONG_FIELDS if row[0] != "expires_at"])
def test_a_change_is_judged_as_strictly(admin: Client, field: str, value: Any, message: str) -> None:
    data = create(admin).json()["data"]
    answer = send(admin, "PATCH", f"{KEYS}/{data['id']}", {field: value})
    assert (answer.status_code, answer.json()["details"]) == (400, {field: [message]})

"""What scopes allow."""

from __future__ import annotations

import re

import pytest

from apps.api_keys import scopes
from apps.api_keys.scopes import API_KEY_SCOPES, MEMBER_SCOPES

DOCUMENTED = {
    "*",
    "patients:read",
    "patients:write",
    "appointments:read",
    "appointments:write",
    "documents:read",
    "documents:write",
    "notes:read",
    "model_runs:read",
    "model_runs:write",
    "webhooks:read",
    "webhooks:write",
    "audit:read",
    "usage:read",
}


def test_the_registry_holds_the_documented_scopes() -> None:
    assert set(API_KEY_SCOPES) == DOCUMENTED
    assert all(scope == "*" or re.fullmatch(r"[a-z_]+:(read|write)", scope) for scope in API_KEY_SCOPES)


def test_everything_covers_every_scope_and_nothing_else() -> None:
    assert all(scopes.allows(["*"], scope) for scope in DOCUMENTED)
    assert not scopes.allows(["*"], "foo:read")
    assert not scopes.allows(["*"], "")


@pytest.mark.parametrize("scope", sorted(DOCUMENTED - {"*"}))
def test_a_scope_covers_itself_alone(scope: str) -> None:
    assert {other for other in DOCUMENTED if scopes.allows([scope], other)} == {scope}


def test_no_scopes_allow_nothing() -> None:
    assert not any(scopes.allows([], scope) for scope in DOCUMENTED)


@pytest.mark.parametrize(
    ("method", "action"),
    [("GET", "read"), ("HEAD", "read"), ("POST", "write"), ("PUT", "write"), ("PATCH", "write"), ("DELETE", "write")],
)
def test_the_method_decides_between_reading_and_writing(method: str, action: str) -> None:
    assert scopes.for_method("model_runs", method) == f"model_runs:{action}"


def test_members_read_and_write_health_data_but_not_what_belongs_to_admins() -> None:
    assert set(MEMBER_SCOPES) == DOCUMENTED - {"*", "webhooks:read", "webhooks:write", "audit:read"}


def test_scopes_are_put_in_the_registrys_order_once_each() -> None:
    assert scopes.in_order(["notes:read", "model_runs:write", "notes:read"]) == ["model_runs:write", "notes:read"]


def test_a_member_reads_all_but_what_is_for_admins_and_writes_runs_and_people() -> None:
    reading = {scope for scope in API_KEY_SCOPES if scope.endswith(":read")} - {"webhooks:read", "audit:read"}
    writing = {"model_runs:write", "patients:write", "appointments:write", "documents:write"}
    assert reading | writing == MEMBER_SCOPES

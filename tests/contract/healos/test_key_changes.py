"""Changing, revoking and rotating at `/api/v1/ext-api-keys`. Numbers are the contract's lines."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent
from apps.api_keys import services
from apps.api_keys.models import ApiKey
from tests.conftest import MakeKey
from tests.contract.healos.calls import KEYS, call, create, send

pytestmark = pytest.mark.django_db


# -- Changing and revoking ----------------------------------------------------------------------------


def test_a_change_holds_from_the_next_request_on(admin: Client) -> None:
    data = create(admin).json()["data"]
    path = f"{KEYS}/{data['id']}"
    answer = send(admin, "PATCH", path, {"name": "new", "scopes": ["audit:read"], "rate_limit_per_minute": 7})
    changed = answer.json()["data"]
    assert answer.status_code == 200
    assert (changed["name"], changed["scopes"], changed["rate_limit_per_minute"]) == ("new", ["audit:read"], 7)
    assert "key" not in changed
    runs = Client().get("/v1/models/mental-wellness", headers={"x-api-key": data["key"]})
    assert runs.status_code == 403
    assert runs.headers["X-RateLimit-Limit"] == "7"
    assert send(admin, "PATCH", path, {"rate_limit_per_minute": None}).json()["data"]["rate_limit_per_minute"] is None
    assert send(admin, "PATCH", path, {"allowed_cidrs": ["203.0.113.0/24"]}).status_code == 200
    assert call(data["key"]) == 401
    assert send(admin, "PATCH", path, {}).json()["data"]["name"] == "new"
    reasons = list(AuditEvent.objects.filter(action="api_key.changed").order_by("id").values_list("reason", flat=True))
    assert reasons == [
        "changed: name, scopes, rate_limit_per_minute",
        "changed: rate_limit_per_minute",
        "changed: allowed_cidrs",
    ]


@pytest.mark.parametrize("field", ["expires_at", "organization", "grace_ends_at", "revoked_at", "status", "key_prefix"])
def test_nothing_else_can_be_changed(admin: Client, field: str) -> None:
    data = create(admin).json()["data"]
    before = ApiKey.objects.values().get()
    answer = send(admin, "PATCH", f"{KEYS}/{data['id']}", {"name": "new", field: None})
    assert answer.json()["details"] == {field: [f"Unrecognized key(s) in object: '{field}'"]}
    assert ApiKey.objects.values().get() == before


def test_revoking_refuses_the_next_request_and_repeating_it_is_harmless(admin: Client) -> None:
    data = create(admin).json()["data"]
    path = f"{KEYS}/{data['id']}"
    first, second = send(admin, "DELETE", path), send(admin, "DELETE", path)
    assert call(data["key"]) == 401
    assert first.status_code == second.status_code == 200
    assert first.json()["data"]["revoked_at"] == second.json()["data"]["revoked_at"] is not None
    assert first.json()["data"]["status"] == "revoked"
    assert first.json()["message"] == "API key revoked"
    assert AuditEvent.objects.filter(action="api_key.revoked").count() == 1
    assert ApiKey.objects.get().revoked_by is not None
    change = send(admin, "PATCH", path, {"name": "hidden"})
    assert (change.status_code, change.json()) == (409, {"error": "The key is revoked"})


# -- Rotating -----------------------------------------------------------------------------------------


def test_healos_27_both_keys_work_until_the_grace_ends(admin: Client) -> None:
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False):
        old = create(
            admin, scopes=["model_runs:read", "audit:read"], expires_at="2031-01-01T00:00:00.000Z",
            allowed_cidrs=["127.0.0.0/8"], rate_limit_per_minute=77,
        ).json()["data"]  # fmt: skip
        answer = send(admin, "POST", f"{KEYS}/{old['id']}/rotate", {"grace_period_seconds": 3600})
        assert answer.status_code == 201
        new = answer.json()["data"]
        same = ("name", "scopes", "allowed_cidrs", "rate_limit_per_minute", "expires_at")
        assert {name: new[name] for name in same} == {name: old[name] for name in same}
        assert new["key"] != old["key"]
        shown = admin.get(f"{KEYS}/{old['id']}").json()["data"]
        assert (shown["status"], shown["grace_ends_at"]) == ("grace", "2030-01-01T01:00:00.000Z")
        assert shown["superseded_by"] == new["id"]
    for seconds, status in ((3599, 200), (3600, 401)):
        with time_machine.travel(
            f"2030-01-01T{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}Z", tick=False
        ):
            assert (call(old["key"]), call(new["key"])) == (status, 200)
    actions = set(AuditEvent.objects.filter(object_id=old["id"]).values_list("action", flat=True))
    assert {"api_key.created", "api_key.rotated"} <= actions


def test_the_grace_never_passes_the_old_expiry(admin: Client) -> None:
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False):
        old = create(admin, expires_at="2030-01-01T02:00:00.000Z").json()["data"]
        send(admin, "POST", f"{KEYS}/{old['id']}/rotate")
        shown = admin.get(f"{KEYS}/{old['id']}").json()["data"]
    assert shown["grace_ends_at"] == shown["expires_at"] == "2030-01-01T02:00:00.000Z"


def test_the_grace_is_a_day_unless_said_otherwise_and_zero_ends_the_old_key_now(admin: Client, settings: Any) -> None:
    settings.API_KEY_MAX_PER_ORG = 2
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False):
        old = create(admin).json()["data"]
        new = send(admin, "POST", f"{KEYS}/{old['id']}/rotate").json()["data"]
        assert admin.get(f"{KEYS}/{old['id']}").json()["data"]["grace_ends_at"] == "2030-01-02T00:00:00.000Z"
        # Two live keys are the most; only a rotation without grace leaves their number as it is.
        refused = send(admin, "POST", f"{KEYS}/{new['id']}/rotate", {"grace_period_seconds": 1})
        assert refused.status_code == 400
        assert "the most it may have" in refused.json()["error"]
        assert admin.get(f"{KEYS}/{new['id']}").json()["data"]["status"] == "active"
        last = send(admin, "POST", f"{KEYS}/{new['id']}/rotate", {"grace_period_seconds": 0}).json()["data"]
        assert [call(key["key"]) for key in (old, new, last)] == [200, 401, 200]


def test_what_is_revoked_expired_or_rotated_cannot_be_rotated(admin: Client, make_key: MakeKey) -> None:
    revoked, expired, rotated = (make_key()[0] for _ in range(3))
    services.revoke_key(actor=SYSTEM, key_id=revoked.pk, reason="x")
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    services.rotate_key(actor=SYSTEM, key_id=rotated.pk, grace_seconds=60)
    before = ApiKey.objects.count()
    for key, why in ((revoked, "revoked"), (expired, "expired"), (rotated, "rotated already")):
        answer = send(admin, "POST", f"{KEYS}/{key.pk}/rotate")
        assert (answer.status_code, answer.json()) == (409, {"error": f"The key is {why}"})
    assert ApiKey.objects.count() == before


@pytest.mark.parametrize(
    ("grace", "message"),
    [
        (-1, "Number must be greater than or equal to 0"),
        (2_592_001, "Number must be less than or equal to 2592000"),
        ("60", "Expected number, received string"),
        (None, "Expected number, received null"),
        (0.5, "Expected integer, received float"),
    ],
)
def test_a_wrong_grace_rotates_nothing(admin: Client, grace: Any, message: str) -> None:
    old = create(admin).json()["data"]
    answer = send(admin, "POST", f"{KEYS}/{old['id']}/rotate", {"grace_period_seconds": grace})
    assert answer.json()["details"] == {"grace_period_seconds": [message]}
    assert ApiKey.objects.count() == 1

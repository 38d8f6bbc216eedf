"""The check of a key on each request, through the whole stack."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings as real_settings
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization
from apps.api_keys import services, tokens
from apps.api_keys.authentication import ApiKeyAuthentication
from apps.api_keys.models import ApiKey
from helios_site.api import ratelimit

pytestmark = pytest.mark.django_db
Issue = Callable[..., tuple[ApiKey, str]]
REFUSED = {"detail": "Invalid API key"}


def call(raw_key: str | None, path: str = "/v1/account", **extra: Any) -> Any:
    headers = {} if raw_key is None else {"x-api-key": raw_key}
    return Client().get(path, headers=headers, **extra)


def authenticate(raw_key: str, **extra: Any) -> Any:
    """The check alone, without the work that is left for after the response."""
    request = RequestFactory().get("/v1/account", headers={"x-api-key": raw_key}, **extra)
    return ApiKeyAuthentication().authenticate(Request(request))


def queries_of(raw_key: str, **extra: Any) -> int:
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        suppress(AuthenticationFailed),
    ):
        authenticate(raw_key, **extra)
    return len(queries)


def revoked(key: ApiKey) -> None:
    services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="test")


def expired(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())


def superseded(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(grace_ends_at=timezone.now())


def switched_off(key: ApiKey) -> None:
    Organization.objects.filter(pk=key.organization_id).update(is_active=False)


def elsewhere(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(allowed_cidrs=["198.51.100.0/24"])


REASONS: dict[Callable[[ApiKey], None], str] = {
    revoked: "revoked",
    expired: "expired",
    superseded: "superseded",
    switched_off: "organisation switched off",
    elsewhere: "wrong address",
}


# -- Who comes in -----------------------------------------------------------------------------------


def test_helios_1_a_valid_key_is_accepted_and_names_its_organisation(
    make_key: Issue, organization: Organization
) -> None:
    key, raw_key = make_key()
    principal, record = authenticate(raw_key)
    assert (principal.organization_id, str(principal)) == (organization.pk, "Northern Clinic")
    assert principal.is_authenticated
    assert (record.key_id, record.scopes, record.key_prefix) == (key.pk, ["*"], raw_key[:12])
    assert call(raw_key).json()["id"] == str(organization.pk)


@pytest.mark.parametrize("name", ["x-api-key", "X-API-Key", "X-Api-KEY"])
def test_helios_5_the_headers_name_is_taken_in_any_letter_case(make_key: Issue, name: str) -> None:
    assert Client().get("/v1/account", headers={name: make_key()[1]}).status_code == 200


def test_helios_4_a_key_anywhere_else_is_not_accepted(make_key: Issue) -> None:
    raw_key = make_key()[1]
    client = Client()
    client.cookies["x-api-key"] = raw_key
    for headers in ({"authorization": f"Bearer {raw_key}"}, {"authorization": raw_key}, {"api-key": raw_key}, {}):
        response = client.get(f"/v1/account?x-api-key={raw_key}&api_key={raw_key}", headers=headers)
        assert (response.status_code, response.json()) == (401, REFUSED)


def test_helios_2_without_a_key_401_with_its_scheme() -> None:
    response = call(None)
    assert (response.status_code, response.json()) == (401, REFUSED)
    assert response.headers["WWW-Authenticate"] == "ApiKey"


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "hlsk_wrong",
        "x" * 10_240,
        "hlsk_" + "0" * 10_240,
        "hlsk_" + "0" * 38,
        "hlsk_" + "0" * 32 + "2wUdfn",
        "hlsk_" + "é" * 32 + "2wUdfm",
        "hlsk_\u0660" + "0" * 31 + "2wUdfm",
        "hlsk_" + "0" * 32 + "2wUdfm,hlsk_" + "0" * 32 + "2wUdfm",
        "hlsk_" + "0" * 32 + "2wUdfm, ",
        "HLSK_" + "0" * 32 + "2wUdfm",
        "hlsk_" + "0" * 31 + "\x00" + "2wUdfm",
        "' OR 1=1 --",
    ],
)
def test_healos_102_a_malformed_key_is_refused_without_a_query(header: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = Client().get("/v1/account", HTTP_X_API_KEY=header)
    assert (response.status_code, response.json()) == (401, REFUSED)
    assert len(queries) == 0


def test_healos_26_one_changed_character_is_refused_without_a_query(make_key: Issue) -> None:
    raw_key = make_key()[1]
    for place in range(5, len(raw_key)):
        changed = raw_key[:place] + ("a" if raw_key[place] != "a" else "b") + raw_key[place + 1 :]
        assert queries_of(changed) == 0


# -- Who does not -------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", REASONS)
def test_healos_5_every_refused_key_gets_the_same_answer(make_key: Issue, spoil: Callable[[ApiKey], None]) -> None:
    key, raw_key = make_key()
    assert call(raw_key).status_code == 200
    spoil(key)
    refused, unknown = call(raw_key), call(tokens.generate())
    assert refused.status_code == unknown.status_code == 401
    assert refused.content == unknown.content
    different = {"X-Request-ID", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    assert {k: v for k, v in refused.items() if k not in different} == {
        k: v for k, v in unknown.items() if k not in different
    }


@pytest.mark.parametrize("peppers", [1, 3])
def test_known_revoked_expired_foreign_and_unknown_keys_cost_the_same_work(
    make_key: Issue, settings: Settings, monkeypatch: pytest.MonkeyPatch, peppers: int
) -> None:
    settings.API_KEY_PEPPERS = tuple(str(number) * 32 for number in range(peppers))
    made: list[bytes] = []
    digest = tokens._digest

    def counted(pepper: str, raw_key: str) -> bytes:
        made.append(digest(pepper, raw_key))
        return made[-1]

    monkeypatch.setattr(tokens, "_digest", counted)
    costs = []
    for spoil in (None, *REASONS):
        Organization.objects.update(is_active=True)
        key, raw_key = make_key()
        if spoil is not None:
            spoil(key)
        made.clear()
        costs.append((queries_of(raw_key), len(made)))
    made.clear()
    costs.append((queries_of(tokens.generate()), len(made)))
    assert costs == [(1, peppers)] * 7


def test_the_one_query_uses_the_unique_index(make_key: Issue, organization: Organization) -> None:
    raw_key = make_key()[1]
    with CaptureQueriesContext(connection) as queries:
        authenticate(raw_key)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO api_keys_apikey (id, organization_id, name, key_prefix, digest, pepper_version, scopes,
                                         revoked_reason, allowed_cidrs, created_at)
            SELECT gen_random_uuid(), %s, 'n', '', sha256(n::text::bytea), '', '{}', '', '{}', now()
            FROM generate_series(1, 5000) AS n
            """,
            [organization.pk],
        )
        cursor.execute("ANALYZE api_keys_apikey")
        cursor.execute("EXPLAIN " + queries[0]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "api_keys_apikey_digest" in plan
    assert "Seq Scan on api_keys_apikey" not in plan


def test_helios_3_a_revocation_holds_from_the_next_request_on(make_key: Issue) -> None:
    key, raw_key = make_key()
    assert call(raw_key).status_code == 200
    revoked(key)
    assert call(raw_key).status_code == 401


def test_switching_an_organisation_off_and_on_holds_at_once(make_key: Issue, organization: Organization) -> None:
    _, raw_key = make_key()
    switched_off(make_key()[0])
    assert call(raw_key).status_code == 401
    Organization.objects.update(is_active=True)
    assert call(raw_key).status_code == 200


@pytest.mark.parametrize("field", ["expires_at", "grace_ends_at"])
def test_healos_22_a_key_ends_at_the_exact_instant(make_key: Issue, field: str) -> None:
    end = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    key, raw_key = make_key()
    ApiKey.objects.filter(pk=key.pk).update(**{field: end})
    with time_machine.travel(end - timedelta(microseconds=1), tick=False):
        assert call(raw_key).status_code == 200
    with time_machine.travel(end, tick=False):
        assert call(raw_key).status_code == 401


@pytest.mark.parametrize(
    ("address", "status"),
    [("10.1.2.3", 200), ("11.0.0.1", 401), ("2001:db8::5", 200), ("2001:db9::5", 401), ("::ffff:10.1.2.3", 200)],
)
def test_healos_28_a_key_works_from_its_networks_only(make_key: Issue, address: str, status: int) -> None:
    raw_key = make_key(allowed_cidrs=["10.0.0.0/8", "2001:db8::/32"])[1]
    assert call(raw_key, REMOTE_ADDR=address).status_code == status


def test_a_forwarded_address_opens_nothing_unless_a_trusted_proxy_sent_it(make_key: Issue, settings: Settings) -> None:
    raw_key = make_key(allowed_cidrs=["10.0.0.0/8"])[1]
    through = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "10.1.2.3"}
    assert call(raw_key, **through).status_code == 401
    settings.TRUSTED_PROXIES = (ipaddress.ip_network("192.0.2.0/24"),)
    assert call(raw_key, **through).status_code == 200


# -- Peppers ------------------------------------------------------------------------------------------


def test_an_old_pepper_still_verifies_and_use_moves_the_key_to_the_new_one(make_key: Issue, settings: Settings) -> None:
    settings.API_KEY_PEPPERS = ("o" * 32,)
    key, raw_key = make_key()
    settings.API_KEY_PEPPERS = ("n" * 32, "o" * 32)
    assert call(raw_key).status_code == 200
    key.refresh_from_db()
    assert bytes(key.digest) == tokens.digest(raw_key)
    assert key.pepper_version == tokens.pepper_version()
    settings.API_KEY_PEPPERS = ("n" * 32,)
    assert call(raw_key).status_code == 200


def test_a_withdrawn_pepper_ends_its_keys(make_key: Issue, settings: Settings) -> None:
    raw_key = make_key()[1]
    settings.API_KEY_PEPPERS = ("n" * 32,)
    assert call(raw_key).status_code == 401


# -- What use leaves behind ---------------------------------------------------------------------------


def test_use_is_noted_with_its_address_at_most_once_a_minute(make_key: Issue) -> None:
    key, raw_key = make_key()
    start = timezone.now()
    seen = []
    for seconds, address in [(0, "10.0.0.1"), (59, "10.0.0.2"), (61, "10.0.0.3")]:
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            assert call(raw_key, REMOTE_ADDR=address).status_code == 200
        key.refresh_from_db()
        seen.append(key.last_used_ip)
    assert seen == ["10.0.0.1", "10.0.0.1", "10.0.0.3"]
    assert key.last_used_at == start + timedelta(seconds=61)


@pytest.mark.parametrize("spoil", REASONS)
def test_a_refused_use_leaves_one_audit_row_a_minute_and_no_last_use(
    make_key: Issue, spoil: Callable[[ApiKey], None]
) -> None:
    key, raw_key = make_key()
    spoil(key)
    for _ in range(5):
        assert call(raw_key, "/v1/account?secret=1", REMOTE_ADDR="203.0.113.5").status_code == 401
    event = AuditEvent.objects.get(action="api_key.refused")
    assert (event.reason, event.outcome, event.object_id) == (REASONS[spoil], "refused", str(key.pk))
    assert (event.organization_id, event.actor_id) == (key.organization_id, str(key.pk))
    assert (event.address, event.method, event.path) == ("203.0.113.5", "GET", "/v1/account")
    assert event.request_id
    key.refresh_from_db()
    assert key.last_used_at is None
    with redis.Redis.from_url(real_settings.REDIS_URL) as store:
        (gate,) = store.keys("helios:refused:*")
        assert 0 < store.ttl(gate) <= 60
        store.delete(gate)  # as if the minute were over
    call(raw_key)
    assert AuditEvent.objects.filter(action="api_key.refused").count() == 2


def test_a_refused_use_is_recorded_once_a_minute_also_without_redis(
    make_key: Issue, settings: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "_pause_until", 0.0)  # undone afterwards, so that no other test sees the pause
    key, raw_key = make_key()
    revoked(key)
    settings.REDIS_URL = f"unix://{tmp_path}/nobody-listens.sock"
    for _ in range(3):
        assert call(raw_key).status_code == 401
    assert AuditEvent.objects.filter(action="api_key.refused").count() == 1


def test_unknown_and_malformed_keys_leave_nothing(make_key: Issue) -> None:
    before = AuditEvent.objects.count()
    call(tokens.generate())
    call("hlsk_wrong")
    call(None)
    assert AuditEvent.objects.count() == before


# -- Many at once -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_request_that_begins_after_a_revocation_is_accepted(make_key: Issue) -> None:
    """Callers hammer with keys while these are revoked one by one."""
    keys = [make_key() for _ in range(40)]
    revoked_raw: set[str] = set()
    accepted_late: list[str] = []
    served, over = [], threading.Event()

    def hammer(number: int) -> None:
        try:
            while not over.is_set():
                for _key, raw_key in keys:
                    was_revoked = raw_key in revoked_raw
                    try:
                        authenticate(raw_key, REMOTE_ADDR=f"10.0.0.{number + 1}")
                    except APIException:
                        continue
                    served.append(raw_key)
                    if was_revoked:
                        accepted_late.append(raw_key)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        hammering = [pool.submit(hammer, number) for number in range(4)]
        for key, raw_key in keys:
            revoked(key)
            revoked_raw.add(raw_key)
        over.set()
        for future in hammering:
            future.result()
    assert served
    assert accepted_late == []


@pytest.mark.django_db(transaction=True)
def test_healos_94_two_hundred_parallel_calls_against_a_limit_of_one_hundred(
    make_key: Issue, settings: Settings
) -> None:
    settings.RATE_LIMIT_BUDGET_SECONDS = 5.0  # what is judged is the counting, not this machine's load
    raw_key = make_key(rate_limit_per_minute=100)[1]

    def one(_: int) -> Any:
        try:
            return call(raw_key)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, range(200)))
    assert sorted({answer.status_code for answer in answers}) == [200, 429]
    assert sum(answer.status_code == 200 for answer in answers) == 100
    assert all(int(answer.headers["X-RateLimit-Remaining"]) >= 0 for answer in answers)

"""The limiter as callers meet it: two processes of the real web server, and Valkey away."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import Membership, Organization, User
from helios_site.api import ratelimit
from helios_site.api.local_ratelimit import LocalLimiter
from tests.conftest import MakeKey, background

FAMILIES = {"/v1/account": "detail", "/api/v1/ext-api-keys": "error"}


@pytest.mark.django_db(transaction=True)
def test_healos_94_of_200_parallel_calls_to_two_processes_exactly_100_pass(make_key: MakeKey, tmp_path: Path) -> None:
    raw_key = make_key(rate_limit_per_minute=100)[1]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [
        "-m", "gunicorn", "tests.api.patient_wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "8",
        "--no-control-socket", "--preload",
    ]  # fmt: skip

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def ten_calls(_: int) -> list[int]:
        connection, statuses = http.client.HTTPConnection("127.0.0.1", port, timeout=60), []
        for _ in range(10):
            connection.request("GET", "/v1/account", headers={"x-api-key": raw_key})
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()
        return statuses

    with background(command, tmp_path / "web.log", ready=answers), ThreadPoolExecutor(20) as pool:
        statuses = [status for batch in pool.map(ten_calls, range(20)) for status in batch]
    assert (statuses.count(200), statuses.count(429)) == (100, 100)


# -- Valkey away ------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _fresh_limiter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "_local", LocalLimiter())


@pytest.fixture
def callers(make_key: MakeKey, organization: Organization) -> dict[str, Client]:
    """A caller for each family, by the path that it calls."""
    user = User.objects.create_user("admin@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    admin = Client()
    admin.force_login(user)
    key = Client(headers={"x-api-key": make_key(rate_limit_per_minute=3)[1]})
    return dict(zip(FAMILIES, (key, admin), strict=True))


@pytest.fixture
def hanging(settings: Settings) -> Iterator[None]:
    """A Valkey that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        settings.RATE_LIMIT_BUDGET_SECONDS = 0.05
        yield


def limits(response: Any) -> tuple[int, int]:
    return int(response.headers["X-RateLimit-Limit"]), int(response.headers["X-RateLimit-Remaining"])


@pytest.mark.usefixtures("hanging")
def test_while_valkey_hangs_calls_pass_with_full_buckets_and_the_process_holds_the_flood(
    callers: dict[str, Client],
) -> None:
    before = ratelimit.STORE_FAILURES._value.get()
    started = time.monotonic()
    first = callers["/v1/account"].get("/v1/account")
    assert time.monotonic() - started < 10  # and not for ever, on however busy a machine
    assert (first.status_code, limits(first)) == (200, (3, 3))
    flood = [callers["/v1/account"].get("/v1/account") for _ in range(4)]
    assert [answer.status_code for answer in flood] == [200, 200, 429, 429]
    assert limits(flood[-1]) == (3, 0)
    assert 1 <= int(flood[-1].headers["Retry-After"]) <= 61
    admins = callers["/api/v1/ext-api-keys"].get("/api/v1/ext-api-keys")
    assert (admins.status_code, limits(admins)) == (200, (100, 100))
    assert ratelimit.STORE_FAILURES._value.get() > before
    assert b"helios_rate_limit_store_failures_total" in Client().get("/metrics").content


@pytest.mark.parametrize("path", FAMILIES)
def test_who_wants_the_limits_held_at_any_price_answers_429_while_valkey_is_away(
    callers: dict[str, Client], settings: Settings, tmp_path: Path, path: str
) -> None:
    settings.RATE_LIMIT_FAIL_OPEN = False
    settings.REDIS_URL = f"unix://{tmp_path}/nobody-listens.sock"
    answer = callers[path].get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert answer.json() == {FAMILIES[path]: "Rate limit exceeded"}

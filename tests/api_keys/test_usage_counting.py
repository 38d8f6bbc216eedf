"""Requests of keys on their way through Valkey into PostgreSQL: none is lost, none is counted twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from pytest_django import Settings

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Membership, Organization, User
from apps.api_keys.models import UsageBatch, UsageDay
from apps.api_keys.services import revoke_key
from apps.api_keys.usage import counting, services
from apps.api_keys.usage.counting import COUNTS, RequestCounts, count_request, status_class
from apps.api_keys.usage.services import TAKEN, remove_old_usage, write_requests
from helios_site.api.redis_calls import Store, store
from tests.conftest import MakeKey
from tests.contract.helios.calls import RUNS, UNKNOWN_ID, post


def in_valkey() -> dict[str, int]:
    """What is counted and not written yet, by the class of status."""
    with redis.Redis.from_url(django_settings.REDIS_URL, decode_responses=True) as client:
        counts: Any = client.hgetall(COUNTS)
    return {name.split(" ")[2]: int(count) for name, count in counts.items()}


def written() -> Counter[str]:
    total: Counter[str] = Counter()
    for day in UsageDay.objects.all():
        total.update({status: getattr(day, f"requests_{status}") for status in ("2xx", "4xx", "429", "5xx")})
    return +total


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, "2xx"), (201, "2xx"), (304, "2xx"), (400, "4xx"), (403, "4xx"), (422, "4xx"), (429, "429"), (500, "5xx"),
     (507, "5xx")],
)  # fmt: skip
def test_a_status_belongs_to_one_class(status: int, expected: str) -> None:
    assert status_class(status) == expected


def test_every_request_of_a_key_counts_by_its_status(
    make_key: MakeKey, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.model_runs.viewsets import AccountViewSet

    key, raw_key = make_key(rate_limit_per_minute=5)
    client = Client(headers={"x-api-key": raw_key}, raise_request_exception=False)
    statuses = [client.get("/v1/account").status_code, client.get(f"{RUNS}/{UNKNOWN_ID}").status_code]
    statuses += [post(client, "{").status_code, client.put("/v1/account").status_code]

    def broken(self: Any, request: Any) -> Any:
        raise KeyError("a bug")

    monkeypatch.setattr(AccountViewSet, "retrieve", broken)
    statuses += [client.get("/v1/account").status_code for _ in range(3)]
    assert statuses == [200, 404, 422, 405, 500, 429, 429]
    assert write_requests() == 1
    day = UsageDay.objects.get()
    assert (day.key, day.organization) == (key, organization)
    assert (day.requests_2xx, day.requests_4xx, day.requests_429, day.requests_5xx) == (1, 3, 2, 1)
    assert (day.runs_ok, day.runs_error) == (0, 0)


def test_a_key_that_is_refused_makes_no_request_and_neither_does_a_session(
    make_key: MakeKey, organization: Organization
) -> None:
    key, raw_key = make_key()
    revoke_key(actor=SYSTEM, key_id=key.pk, reason="leak")
    member = Client()
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    member.force_login(user)
    assert Client().get("/v1/account", headers={"x-api-key": raw_key}).status_code == 401
    assert Client().get("/v1/account", headers={"x-api-key": "hlsk_wrong"}).status_code == 401
    assert Client().get("/v1/account").status_code == 401
    assert member.get("/browse/v1/account").status_code == 200
    assert in_valkey() == {}
    assert write_requests() == 0


def test_days_are_those_of_utc_and_batches_add_up(api: Client) -> None:
    for moment in ("2026-03-15T23:59:59Z", "2026-03-16T00:00:00Z", "2026-03-16T23:59:59Z"):
        with time_machine.travel(moment, tick=False):
            api.get("/v1/account")
    assert write_requests() == 2
    with time_machine.travel("2026-03-16T12:00:00Z", tick=False):
        api.get("/v1/account")
    assert write_requests() == 1
    days = UsageDay.objects.order_by("day").values_list("day", "requests_2xx")
    assert [(str(day), count) for day, count in days] == [("2026-03-15", 1), ("2026-03-16", 3)]


def test_counts_of_a_key_that_is_unknown_are_dropped(db: None) -> None:
    count_request(uuid4(), 200)
    assert write_requests() == 0
    assert in_valkey() == {}


# -- Crashes of the writer --------------------------------------------------------------------------------


def test_a_writer_that_dies_before_its_commit_loses_nothing(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    api.get("/v1/account")

    def dies(rows: Any) -> None:
        raise SystemError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(services, "_add", dies)
        with pytest.raises(SystemError):
            write_requests()
    assert not UsageBatch.objects.exists()
    api.get("/v1/account")
    assert write_requests() == 1  # the batch that was taken
    assert write_requests() == 1  # what came meanwhile
    assert written() == {"2xx": 2}


def test_a_writer_that_dies_after_its_commit_counts_nothing_twice(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    api.get("/v1/account")
    with monkeypatch.context() as patch:
        patch.setattr(services, "_REMOVE", "return redis.error_reply('killed')")
        with pytest.raises(redis.ResponseError):
            write_requests()
    assert written() == {"2xx": 1}
    api.get("/v1/account")
    assert write_requests() == 0  # the same batch, which PostgreSQL knows
    assert written() == {"2xx": 1}
    assert write_requests() == 1
    assert written() == {"2xx": 2}
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        assert not client.exists(COUNTS, TAKEN)


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_write_each_batch_once(make_key: MakeKey) -> None:
    key, _ = make_key()

    def write(_: int) -> None:
        try:
            for _ in range(5):
                count_request(key.pk, 200)
                write_requests()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    write_requests()
    assert written() == {"2xx": 20}


# -- Valkey away --------------------------------------------------------------------------------------------


@pytest.fixture
def away(settings: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Valkey is away until this is called."""
    monkeypatch.setattr(counting, "PAUSE_SECONDS", 0.0)
    working = settings.REDIS_URL
    settings.REDIS_URL = f"unix://{tmp_path}/nobody-listens.sock"

    def come_back() -> None:
        settings.REDIS_URL = working

    return come_back


def test_while_valkey_is_away_requests_are_kept_and_counted_later(away: Callable[[], None]) -> None:
    counts, key_id = RequestCounts(), uuid4()
    for status in (200, 404, 200, 429):
        counts.add(key_id, status)
    away()
    assert in_valkey() == {}
    counts.add(key_id, 200)
    assert in_valkey() == {"2xx": 3, "4xx": 1, "429": 1}
    counts.add(key_id, 200)
    assert in_valkey()["2xx"] == 4


def test_what_is_kept_is_bounded_and_what_is_lost_shows(
    away: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MAX_KEPT", 2)
    counts, before = RequestCounts(), counting.LOST._value.get()
    counts.add(uuid4(), 200)  # is on its way, in vain
    known = [uuid4(), uuid4()]
    for key_id in (*known, *known, uuid4(), uuid4()):
        counts.add(key_id, 200)
    assert counting.LOST._value.get() == before + 2
    away()
    counts.add(known[0], 200)
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        found: Any = client.hvals(COUNTS)
    assert sorted(map(int, found)) == [1, 2, 3]


def test_after_a_failure_valkey_is_left_alone_for_a_while(away: Callable[[], None], monkeypatch: Any) -> None:
    monkeypatch.setattr(counting, "PAUSE_SECONDS", 60.0)
    counts, key_id = RequestCounts(), uuid4()
    counts.add(key_id, 200)
    away()
    counts.add(key_id, 200)
    assert in_valkey() == {}


def test_a_batch_whose_reply_was_lost_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "PAUSE_SECONDS", 0.0)
    counts, key_id = RequestCounts(), uuid4()

    class Deaf:
        """Does what it is told, and never hears that it was done."""

        def run_script(self, *arguments: Any) -> Any:
            store().run_script(*arguments)
            raise redis.TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(counting, "store", Deaf)
        counts.add(key_id, 200)
        counts.add(key_id, 200)  # sends the first batch again
    counts.add(key_id, 200)
    assert in_valkey() == {"2xx": 3}


def test_a_wiped_valkey_loses_what_was_not_written_and_no_more(db: None) -> None:
    counts, key_id = RequestCounts(), uuid4()
    counts.add(key_id, 200)
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.flushdb()
    counts.add(key_id, 200)
    assert in_valkey() == {"2xx": 1}


def test_threads_of_a_process_count_each_request_once() -> None:
    counts, key_id = RequestCounts(), UUID(int=1)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: counts.add(key_id, 200), range(200)))
    assert in_valkey() == {"2xx": 200}


def test_a_hanging_valkey_holds_a_thread_no_longer_than_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Hanging(Store):
        def call(self, *command: str | int) -> Any:
            seen.append(self.address[1])
            raise redis.TimeoutError

    monkeypatch.setattr(counting, "store", lambda: Hanging(*store().address))
    counts = RequestCounts()
    for _ in range(50):
        counts.add(uuid4(), 200)
    assert seen == [django_settings.RATE_LIMIT_BUDGET_SECONDS]


# -- Retention ----------------------------------------------------------------------------------------------


def test_days_are_kept_for_four_hundred_days(make_key: MakeKey) -> None:
    key, _ = make_key()
    for day in ("2025-02-08", "2025-02-09", "2026-03-16"):
        UsageDay.objects.create(organization=key.organization, key=key, day=day)
    with time_machine.travel("2026-03-08T12:00:00Z", tick=False):
        UsageBatch.objects.create(id=uuid4())
    with time_machine.travel("2026-03-16T12:00:00Z", tick=False):
        recent = UsageBatch.objects.create(id=uuid4())
        assert remove_old_usage() == 1
    assert sorted(map(str, UsageDay.objects.values_list("day", flat=True))) == ["2025-02-09", "2026-03-16"]
    assert UsageBatch.objects.get() == recent

"""The limiter on the real Valkey, and without it."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import settings as real_settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from helios_site.api import ratelimit
from helios_site.api.local_ratelimit import LocalLimiter
from helios_site.api.ratelimit import EXACT_UP_TO, Decision, charge, peek
from helios_site.env import Rate
from tests.conftest import close_valkey_connections

# Both forms of the script; the second is chosen by its limit.
LIMITS = [100, EXACT_UP_TO + 1]


@pytest.fixture(autouse=True)
def _patient_and_fresh(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests judge the counting: on a busy machine 50 ms may pass for other reasons."""
    settings.RATE_LIMIT_BUDGET_SECONDS = 5.0
    monkeypatch.setattr(ratelimit, "_local", LocalLimiter())
    monkeypatch.setattr(ratelimit, "_pause_until", 0.0)


def failures() -> float:
    return float(ratelimit.STORE_FAILURES._value.get())


@pytest.mark.parametrize("limit", LIMITS)
def test_healos_94_parallel_calls_are_accepted_exactly_up_to_the_limit(limit: int) -> None:
    barrier = threading.Barrier(20)

    def calls(_: int) -> list[Decision]:
        barrier.wait()
        return [charge("parallel", Rate(limit, 60)) for _ in range(limit // 10)]

    with ThreadPoolExecutor(20) as pool:
        decisions = [decision for batch in pool.map(calls, range(20)) for decision in batch]
    accepted = [decision for decision in decisions if decision.allowed]
    assert len(decisions) == 20 * (limit // 10) > limit
    assert len(accepted) == limit
    assert sorted(decision.remaining for decision in accepted) == list(range(limit))
    assert {decision.remaining for decision in decisions if not decision.allowed} == {0}


@pytest.mark.parametrize("limit", LIMITS)
def test_healos_93_a_call_after_retry_after_succeeds(limit: int) -> None:
    rate = Rate(limit, 1)
    started = time.monotonic()
    refused = next(decision for _ in range(100 * limit) if not (decision := charge("wait", rate)).allowed)
    assert time.monotonic() - started < 60
    assert 1 <= refused.retry_after <= 2
    assert math.ceil(time.time()) <= refused.reset_epoch <= math.ceil(time.time()) + 2
    time.sleep(refused.retry_after)
    assert charge("wait", rate).allowed


@pytest.mark.parametrize("limit", [3, EXACT_UP_TO + 3])
def test_the_headers_values_follow_the_calls(limit: int) -> None:
    rate = Rate(limit, 60)
    before = time.time()
    first, second = charge("values", rate), charge("values", rate)
    after = time.time()
    assert (first.limit, first.remaining, second.remaining) == (limit, limit - 1, limit - 2)
    assert first.reset_epoch == second.reset_epoch  # the oldest call is the same
    slack = 60 / 64 if limit > EXACT_UP_TO else 0
    assert before + 60 <= first.reset_epoch <= after + 60 + slack + 1


@pytest.mark.parametrize("limit", [2, EXACT_UP_TO + 1])
def test_refused_calls_do_not_count_and_looking_does_not_either(limit: int) -> None:
    rate = Rate(limit, 60)
    for _ in range(limit):
        assert peek("look", rate).allowed
        assert charge("look", rate).allowed
    refused = [charge("look", rate) for _ in range(3)]
    assert [decision.allowed for decision in (*refused, peek("look", rate))] == [False] * 4
    assert len({decision.reset_epoch for decision in refused}) == 1


def test_a_window_slides_and_never_holds_more_than_the_limit() -> None:
    rate, accepted = Rate(5, 1), []
    until = time.monotonic() + 3.2
    while time.monotonic() < until:
        if charge("slide", rate).allowed:
            accepted.append(time.monotonic())
        time.sleep(0.01)
    assert len(accepted) >= 15
    assert all(later - earlier > 0.95 for earlier, later in zip(accepted, accepted[5:], strict=False))


def test_buckets_are_independent() -> None:
    rate = Rate(1, 60)
    assert charge("one", rate).allowed
    assert not charge("one", rate).allowed
    assert charge("two", rate).allowed


def test_a_limit_that_was_lowered_says_when_the_next_call_will_really_pass() -> None:
    for _ in range(10):
        charge("lowered", Rate(10, 2))
        time.sleep(0.1)
    refused = charge("lowered", Rate(2, 2))
    assert not refused.allowed
    assert refused.remaining == 0
    time.sleep(refused.retry_after)
    assert charge("lowered", Rate(2, 2)).allowed


def test_memory_does_not_grow_with_a_high_limit_and_ends_with_the_window() -> None:
    with redis.Redis.from_url(real_settings.REDIS_URL) as store:
        for _ in range(3000):
            assert charge("memory", Rate(1_000_000, 60)).allowed
        (name,) = store.keys("helios:limit:*memory")
        assert store.memory_usage(name) < 2000
        assert store.hlen(name) <= 64 + 1 + 2
        assert 60 < store.ttl(name) <= 63


def test_the_script_is_loaded_again_after_redis_forgot_it() -> None:
    assert charge("forgotten", Rate(5, 60)).remaining == 4
    with redis.Redis.from_url(real_settings.REDIS_URL) as store:
        store.script_flush()
    assert charge("forgotten", Rate(5, 60)).remaining == 3


def test_a_connection_that_redis_closed_is_opened_again_without_an_alarm() -> None:
    before = failures()
    charge("closed", Rate(5, 60))
    close_valkey_connections()
    assert charge("closed", Rate(5, 60)).remaining == 3
    assert failures() == before


@pytest.fixture
def no_redis(settings: Settings, tmp_path: Any) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody-listens.sock"


@pytest.fixture
def hanging_redis(settings: Settings) -> Iterator[None]:
    """A server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        settings.RATE_LIMIT_BUDGET_SECONDS = 0.05
        yield


@pytest.mark.usefixtures("no_redis")
@pytest.mark.parametrize("limit", LIMITS)
def test_without_redis_each_process_holds_the_same_limit_and_the_headers_show_a_full_bucket(limit: int) -> None:
    before = failures()
    rate = Rate(limit, 60)
    decisions = [charge("down", rate) for _ in range(limit + 5)]
    assert [decision.allowed for decision in decisions] == [True] * limit + [False] * 5
    assert {decision.remaining for decision in decisions[:limit]} == {limit}
    assert all(decision.remaining == 0 and 1 <= decision.retry_after <= 61 for decision in decisions[limit:])
    assert failures() == before + 1  # one alarm; Redis is left alone for a second


@pytest.mark.usefixtures("no_redis")
def test_without_redis_a_call_after_retry_after_succeeds() -> None:
    rate = Rate(3, 1)
    refused = next(decision for _ in range(10) if not (decision := charge("down wait", rate)).allowed)
    time.sleep(refused.retry_after)
    assert charge("down wait", rate).allowed


@pytest.mark.usefixtures("no_redis")
def test_a_setting_makes_it_fail_closed(settings: Settings) -> None:
    settings.RATE_LIMIT_FAIL_OPEN = False
    decision = charge("closed", Rate(100, 60))
    assert (decision.allowed, decision.remaining, decision.retry_after) == (False, 0, 1)


@pytest.mark.usefixtures("hanging_redis")
def test_a_hanging_redis_costs_one_call_its_budget_and_the_next_ones_nothing() -> None:
    before = failures()
    started = time.monotonic()
    assert charge("hang", Rate(100, 60)).allowed
    first = time.monotonic() - started
    started = time.monotonic()
    assert all(charge("hang", Rate(100, 60)).allowed for _ in range(99))
    rest = time.monotonic() - started
    assert not charge("hang", Rate(100, 60)).allowed
    assert 0.04 < first < 0.5
    assert rest < 0.5
    assert failures() == before + 1


def test_redis_is_asked_again_after_the_pause(settings: Settings, tmp_path: Any) -> None:
    working = settings.REDIS_URL
    settings.REDIS_URL = f"unix://{tmp_path}/away.sock"
    assert charge("back", Rate(5, 60)).remaining == 5
    settings.REDIS_URL = working
    time.sleep(ratelimit.PAUSE_SECONDS + 0.05)
    assert charge("back", Rate(5, 60)).remaining == 4


@hypothesis_settings(deadline=None)
@given(
    limit=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 30), min_size=1, max_size=80),
)
def test_the_local_limiter_never_lets_more_than_the_limit_into_any_window(limit: int, gaps: list[float]) -> None:
    from helios_site.api.local_ratelimit import _Bucket

    bucket, now, accepted = _Bucket(), 1000.0, []
    for gap in gaps:
        now += gap
        wait = bucket.charge(now, Rate(limit, 60), 1)
        if wait == 0:
            accepted.append(now)
        else:
            assert 0 < wait <= 60 + 60 / 64 + 1e-6
            # Waiting as long as it says always helps.
            now += wait + 1e-6
            assert bucket.charge(now, Rate(limit, 60), 1) == 0
            accepted.append(now)
    assert all(later - earlier > 60 - 1e-6 for earlier, later in zip(accepted, accepted[limit:], strict=False))


def test_the_local_limiter_keeps_a_bounded_number_of_buckets() -> None:
    limiter = LocalLimiter()
    for number in range(20_000):
        limiter.charge(str(number), Rate(1, 60))
    assert len(limiter._buckets) == 10_000
    assert limiter.charge("19999", Rate(1, 60)) > 0

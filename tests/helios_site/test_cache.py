"""The cache: in Valkey, and in memory while that is away."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
import redis
from django.core.cache import caches
from pytest_django import Settings

from helios_site import cache as module


@pytest.fixture
def cache() -> Any:
    return caches["default"]


@pytest.fixture
def no_redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 60)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def test_it_keeps_adds_and_forgets(cache: Any) -> None:
    assert cache.get("a", "nothing") == "nothing"
    cache.set("a", [1.5, "x", True], 60)
    assert cache.get("a") == [1.5, "x", True]
    assert not cache.add("a", 2, 60)
    assert cache.delete("a")
    assert not cache.delete("a")
    assert cache.add("a", 2, 60)
    assert cache.get("a") == 2
    cache.set("short", 1, 0.01)
    time.sleep(0.03)
    assert cache.get("short") is None


def test_its_keys_meet_nobody_elses_and_expire(cache: Any, settings: Settings) -> None:
    cache.set("a", 1)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        [key] = client.keys("*")
        assert key.startswith(b"helios:cache:")
        assert 0 < client.ttl(key) <= 300
        cache.set("a", 1, None)
        assert client.ttl(key) == -1


def test_other_threads_see_the_same(cache: Any) -> None:
    thread = threading.Thread(target=lambda: caches["default"].set("afar", 1))
    thread.start()
    thread.join()
    assert cache.get("afar") == 1


def test_without_redis_each_process_remembers_by_itself(cache: Any, no_redis: None) -> None:
    cache.set("x", [1.5], 60)
    assert cache.get("x") == [1.5]
    assert not cache.add("x", 2, 60)
    assert cache.delete("x")
    assert cache.add("x", 2, 60)
    cache.delete("x")


def test_a_redis_that_hangs_is_waited_for_once(cache: Any, settings: Settings) -> None:
    settings.RATE_LIMIT_BUDGET_SECONDS = 0.05
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        started = time.perf_counter()
        for number in range(20):
            cache.set(f"n{number}", 1, 60)
        assert time.perf_counter() - started < 0.5

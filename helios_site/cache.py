"""Django's cache on the Redis of the settings; the limits of signing in are counted there.

While Redis is away, each process counts by itself: people still sign in, and a flood still meets a limit.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache

from helios_site.api.ratelimit import PAUSE_SECONDS, STORE_FAILURES
from helios_site.api.redis_calls import store

log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_IN_MEMORY = 10_000

_pause_until = 0.0


class RedisOrMemoryCache(BaseCache):
    """Keeps what JSON can say. No call waits for Redis longer than the rate limiter does."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._memory = LocMemCache("helios", {**params, "OPTIONS": {"MAX_ENTRIES": MAX_IN_MEMORY}})

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        def ask() -> Any:
            found = store().call("GET", self.make_key(key, version))
            return default if found is None else json.loads(found)

        return _or_else(ask, lambda: self._memory.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        _or_else(
            lambda: self._store(key, value, timeout, version),
            lambda: self._memory.set(key, value, timeout, version),
        )

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return _or_else(
            lambda: self._store(key, value, timeout, version, "NX") is not None,
            lambda: self._memory.add(key, value, timeout, version),
        )

    def delete(self, key: Any, version: int | None = None) -> bool:
        return _or_else(
            lambda: bool(store().call("DEL", self.make_key(key, version))),
            lambda: self._memory.delete(key, version),
        )

    def _store(self, key: Any, value: Any, timeout: Any, version: int | None, *conditions: str) -> Any:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        expiry = () if seconds is None else ("PX", max(1, int(seconds * 1000)))
        return store().call("SET", self.make_key(key, version), json.dumps(value), *conditions, *expiry)


def _or_else(ask: Callable[[], T], remember: Callable[[], T]) -> T:
    """What Redis answers, or, while it is away, what this process remembers."""
    global _pause_until
    if time.monotonic() >= _pause_until:
        try:
            return ask()
        except redis.RedisError as error:
            _pause_until = time.monotonic() + PAUSE_SECONDS
            STORE_FAILURES.inc()
            log.error("The cache cannot reach Redis; it holds per process: %s", type(error).__name__)
    return remember()

"""Single commands to Redis with a bound on the time that a request may wait for them.

A client of redis-py costs about 110 µs of CPU a command, most of it for its pool; a connection of one's own
for each thread costs 45.
"""

from __future__ import annotations

import hashlib
import os
import threading
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


class Store:
    """Redis at `url` with one connection for each thread; every wait on its socket ends after `budget_seconds`."""

    def __init__(self, url: str, budget_seconds: float) -> None:
        self.address = (url, budget_seconds)
        self._pool = redis.ConnectionPool.from_url(
            url,
            max_connections=2**31 - 1,  # none comes back to it: those of threads that ended would count
            socket_timeout=budget_seconds,
            socket_connect_timeout=budget_seconds,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,  # saves the round trips in which redis-py introduces itself
        )
        self._mine = threading.local()

    def call(self, *command: str | int) -> Any:
        """The reply to one command. Raises redis.RedisError, at the latest when the budget is used up."""
        connection = self._connection()
        try:
            return _exchange(connection, command)
        except redis.ConnectionError:
            # Redis closed the connection while it was idle, or was restarted: once more on a new one.
            return _exchange(connection, command)

    def run_script(self, script: Script, key: str, *arguments: str | int) -> Any:
        """The reply of a script on one key, in one round trip once Redis knows the script."""
        try:
            return self.call("EVALSHA", script.sha1, 1, key, *arguments)
        except redis.exceptions.NoScriptError:
            return self.call("EVAL", script.source, 1, key, *arguments)

    def _connection(self) -> Any:
        mine = self._mine
        if getattr(mine, "process", None) != os.getpid():  # a connection must not be shared with a forked child
            mine.process, mine.connection = os.getpid(), self._pool.make_connection()
        return mine.connection


class Script:
    """A Lua script and the name under which Redis remembers it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha1 = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


def _exchange(connection: Any, command: tuple[str | int, ...]) -> Any:
    try:
        connection.send_packed_command(connection.pack_command(*command))
        return connection.read_response()
    except redis.ResponseError:
        raise
    except BaseException:
        connection.disconnect()  # a late reply must not be taken for that of the next command
        raise


_store: Store | None = None
_lock = threading.Lock()


def store() -> Store:
    """The Redis of the settings, with the budget of the rate limiter."""
    global _store
    address = (settings.REDIS_URL, settings.RATE_LIMIT_BUDGET_SECONDS)
    if _store is None or _store.address != address:
        with _lock:
            if _store is None or _store.address != address:
                _store = Store(*address)
    return _store

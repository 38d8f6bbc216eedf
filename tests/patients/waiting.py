"""Two connections of which one waits for the other, as in a race that is lost by a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


@contextmanager
def uncommitted(write: Callable[[], Any]) -> Iterator[Any]:
    """Do `write`; the transaction stays open in the block, and commits at its end."""
    with transaction.atomic():
        yield write()


@contextmanager
def elsewhere() -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """`start(work)`: begin `work` on another connection, and go on once it waits for a lock of ours."""

    def on_its_own(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:

        def start(work: Callable[[], Any]) -> Future[Any]:
            future = pool.submit(on_its_own, work)
            deadline = time.monotonic() + 30
            while not _somebody_waits():
                assert time.monotonic() < deadline
                assert not future.done(), f"it did not wait: {future.result()}"
                time.sleep(0.01)
            return future

        yield start


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        [(waits,)] = cursor.fetchall()
    return bool(waits)

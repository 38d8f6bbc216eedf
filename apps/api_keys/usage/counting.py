"""Requests are counted in Valkey after their responses; while it is away, in the process, and handed over later.

A process numbers what it hands over, so that a batch whose reply was lost is counted once, however often it is sent.
What a process still holds when it ends is lost.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from uuid import UUID, uuid4

import redis
from django.utils import timezone
from prometheus_client import Counter as Metric

from helios_site.api.redis_calls import Script, store

COUNTS = "helios:usage:counts"  # a hash: "<day> <key id> <class of status>" -> requests
MAX_KEPT = 10_000  # different counts in a process; one is about 150 bytes
PAUSE_SECONDS = 1.0  # after a failure Valkey is left alone for this long

LOST = Metric(
    "helios_usage_requests_lost",
    "Requests that were not counted, since Valkey was away for too long.",
)

_HAND_OVER = Script(
    """
if tonumber(redis.call('GET', ARGV[1]) or 0) >= tonumber(ARGV[2]) then return 0 end
for i = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('SET', ARGV[1], ARGV[2], 'EX', 86400)
return 1
"""
)


def status_class(status: int) -> str:
    """`2xx`, `4xx`, `429` or `5xx`; an answer below 400 of whatever kind is a success."""
    if status == 429:
        return "429"
    return "5xx" if status >= 500 else "4xx" if status >= 400 else "2xx"


class RequestCounts:
    """What one process has counted and not handed over yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: Counter[str] = Counter()
        self._batch: Counter[str] = Counter()  # handed over under `_number`, perhaps in vain
        self._number = 0
        self._paused_until = 0.0
        self._name = f"helios:usage:from:{uuid4()}"

    def add(self, key_id: UUID, status: int) -> None:
        """Count one request of today. Waits for Valkey no longer than the limiter does."""
        name = f"{timezone.now().date()} {key_id} {status_class(status)}"
        with self._lock:
            if name in self._kept or len(self._kept) < MAX_KEPT:
                self._kept[name] += 1
            else:
                LOST.inc()
            if time.monotonic() >= self._paused_until:
                self._hand_over()

    def _hand_over(self) -> None:
        while self._batch or self._kept:
            if not self._batch:
                self._batch, self._kept = self._kept, Counter()
                self._number += 1
            counts = [part for item in self._batch.items() for part in item]
            try:
                store().run_script(_HAND_OVER, COUNTS, self._name, self._number, *counts)
            except redis.RedisError:
                self._paused_until = time.monotonic() + PAUSE_SECONDS
                return
            self._batch = Counter()


_counts: RequestCounts | None = None
_making = threading.Lock()


def count_request(key_id: UUID, status: int) -> None:
    """Count a request that was authenticated by the key."""
    global _counts
    if _counts is None:
        with _making:  # at the first request, so that processes that were forked have names of their own
            _counts = _counts or RequestCounts()
    _counts.add(key_id, status)

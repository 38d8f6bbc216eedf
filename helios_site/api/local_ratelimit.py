"""The limiter of one process alone, for the time when Redis cannot be reached."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

from helios_site.env import Rate

_SLOTS = 64
_MAX_BUCKETS = 10_000


class _Bucket:
    """Counts of the last window in slots of 1/64 of it: memory does not grow with the limit."""

    __slots__ = ("slots", "used")

    def __init__(self) -> None:
        self.slots: deque[list[int]] = deque()  # [number of the slot, calls in it], oldest first
        self.used = 0

    def charge(self, now: float, rate: Rate, cost: int) -> float:
        """Seconds to wait, 0.0 if the call passes (and is counted when `cost` is 1)."""
        width = rate.seconds / _SLOTS
        slot = int(now / width)
        while self.slots and self.slots[0][0] < slot - _SLOTS:
            self.used -= self.slots.popleft()[1]
        if self.used >= rate.limit:
            return (self._slot_that_frees(self.used - rate.limit + 1) + _SLOTS + 1) * width - now
        if cost:
            if not self.slots or self.slots[-1][0] != slot:
                self.slots.append([slot, 0])
            self.slots[-1][1] += 1
            self.used += 1
        return 0.0

    def _slot_that_frees(self, calls: int) -> int:
        freed = 0
        for number, count in self.slots:
            freed += count
            if freed >= calls:
                return number
        raise AssertionError("the counts of a bucket add up to what it has used")


class LocalLimiter:
    """As many buckets as are in use, the longest unused dropped first."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def charge(self, name: str, rate: Rate, cost: int = 1) -> float:
        """Seconds until a call on bucket `name` would pass, 0.0 if this one does."""
        with self._lock:
            bucket = self._buckets.setdefault(name, _Bucket())
            self._buckets.move_to_end(name)
            if len(self._buckets) > _MAX_BUCKETS:
                self._buckets.popitem(last=False)
            return bucket.charge(time.monotonic(), rate, cost)

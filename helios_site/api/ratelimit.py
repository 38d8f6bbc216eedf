"""At most N calls in any window, counted for all processes by one atomic script in Redis or Valkey.

When Redis does not answer within `RATE_LIMIT_BUDGET_SECONDS`, calls pass (`RATE_LIMIT_FAIL_OPEN`) as long as
this process alone would let them, the headers show a full bucket, and `helios_rate_limit_store_failures_total`
rises for the alarm.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass

import redis
from django.conf import settings
from prometheus_client import Counter

from helios_site.api.local_ratelimit import LocalLimiter
from helios_site.api.ratelimit_scripts import EXACT, SLOTTED
from helios_site.api.redis_calls import store
from helios_site.env import Rate

log = logging.getLogger(__name__)

# Up to this limit every call is remembered on its own; above it memory must not grow with the limit.
EXACT_UP_TO = 1000
# After a failure Redis is left alone for this long, so that a flood does not wait for it call by call.
PAUSE_SECONDS = 1.0

STORE_FAILURES = Counter(
    "helios_rate_limit_store_failures",
    "Calls to Redis by the rate limiter that failed or ran out of time; limits then hold per process.",
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one call, and what the `X-RateLimit-*` headers show of the bucket."""

    allowed: bool
    limit: int  # calls in the window
    remaining: int  # calls left after this one
    reset_epoch: int  # Unix seconds, rounded up, when the oldest counted call leaves the window
    retry_after: int  # whole seconds, at least 1, after which a refused call would succeed


_local = LocalLimiter()
_pause_until = 0.0


def refused_calls_bucket(address: str) -> str:
    """The bucket in which the calls that were refused for their key are counted, one for each address."""
    return f"refused:{address}"


def charge(bucket: str, rate: Rate) -> Decision:
    """Count one call against `bucket`, in one round trip. A refused call is not counted, so waiting always helps."""
    return _decide(bucket, rate, cost=1)


def peek(bucket: str, rate: Rate) -> Decision:
    """The state of `bucket` without counting a call: `allowed` says whether the next one would pass."""
    return _decide(bucket, rate, cost=0)


def _decide(bucket: str, rate: Rate, *, cost: int) -> Decision:
    global _pause_until
    if time.monotonic() >= _pause_until:
        try:
            return _decide_in_redis(bucket, rate, cost)
        except redis.RedisError as error:
            _pause_until = time.monotonic() + PAUSE_SECONDS
            STORE_FAILURES.inc()
            log.error("The rate limiter cannot reach Redis; limits hold per process: %s", type(error).__name__)
    return _decide_without_redis(bucket, rate, cost)


def _decide_in_redis(bucket: str, rate: Rate, cost: int) -> Decision:
    script, form = (EXACT, "x") if rate.limit <= EXACT_UP_TO else (SLOTTED, "s")
    allowed, used, now, reset = store().run_script(
        script, f"helios:limit:{form}:{bucket}", rate.limit, rate.seconds * 1_000_000, cost
    )
    return Decision(
        allowed=bool(allowed),
        limit=rate.limit,
        remaining=max(0, rate.limit - used),
        reset_epoch=math.ceil(reset / 1_000_000),
        retry_after=max(1, math.ceil((reset - now) / 1_000_000)),
    )


def _decide_without_redis(bucket: str, rate: Rate, cost: int) -> Decision:
    now = time.time()
    if not settings.RATE_LIMIT_FAIL_OPEN:
        wait = math.ceil(PAUSE_SECONDS)
        return Decision(False, rate.limit, 0, math.ceil(now) + wait, wait)
    wait_seconds = _local.charge(bucket, rate, cost)
    if wait_seconds > 0:
        wait = max(1, math.ceil(wait_seconds))
        return Decision(False, rate.limit, 0, math.ceil(now + wait_seconds), wait)
    return Decision(True, rate.limit, rate.limit, math.ceil(now) + rate.seconds, 1)

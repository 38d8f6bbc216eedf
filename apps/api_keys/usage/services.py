"""Every write to the usage of keys. It is derived from audited events, so it has no audit rows of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import redis
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from apps.api_keys.models import ApiKey, UsageBatch, UsageDay
from apps.api_keys.usage.counting import COUNTS

RETENTION_DAYS = 400  # a year, and the month in which it is looked at
BATCHES_KEPT_DAYS = 7  # far longer than a batch can wait to be removed from Valkey
TAKEN = "helios:usage:taken"  # the batch that is being written, until it is known to be

# The batch before, if it was not removed: its writer died, or PostgreSQL was away.
_TAKE = """
if redis.call('EXISTS', KEYS[2]) == 0 then
    if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
    redis.call('RENAME', KEYS[1], KEYS[2])
    redis.call('HSET', KEYS[2], 'batch', ARGV[1])
end
return redis.call('HGETALL', KEYS[2])
"""
_REMOVE = "if redis.call('HGET', KEYS[1], 'batch') == ARGV[1] then redis.call('DEL', KEYS[1]) end"

_COLUMNS = ("requests_2xx", "requests_4xx", "requests_429", "requests_5xx", "runs_ok", "runs_error")
_ADD = """
INSERT INTO api_keys_usageday AS usage (
    organization_id, day, key_id, requests_2xx, requests_4xx, requests_429, requests_5xx, runs_ok, runs_error)
SELECT * FROM unnest(
    %s::uuid[], %s::date[], %s::uuid[],
    %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
ON CONFLICT ON CONSTRAINT usage_once DO UPDATE SET
    requests_2xx = usage.requests_2xx + excluded.requests_2xx,
    requests_4xx = usage.requests_4xx + excluded.requests_4xx,
    requests_429 = usage.requests_429 + excluded.requests_429,
    requests_5xx = usage.requests_5xx + excluded.requests_5xx,
    runs_ok = usage.runs_ok + excluded.runs_ok,
    runs_error = usage.runs_error + excluded.runs_error
"""


class _Place(NamedTuple):
    organization_id: UUID
    day: date
    key_id: UUID | None


def count_run(*, organization_id: UUID, key_id: UUID | None, ok: bool) -> None:
    """Count a run that ends, in the caller's transaction; without a key a member of the organisation created it."""
    place = _Place(organization_id, timezone.now().date(), key_id)
    _add({place: {"runs_ok" if ok else "runs_error": 1}})


def write_requests() -> int:
    """Write what the processes have counted into PostgreSQL; how many days of keys it was.

    The batch stays in Valkey until its transaction has committed, and PostgreSQL remembers its id: a crash at any
    point neither loses nor repeats it.
    """
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=10, decode_responses=True) as client:
        flat: Any = client.eval(_TAKE, 2, COUNTS, TAKEN, str(uuid4()))
        taken: dict[str, str] = dict(zip(flat[::2], flat[1::2], strict=True))
        if not taken:
            return 0
        batch = taken.pop("batch")
        with transaction.atomic():
            _, is_new = UsageBatch.objects.get_or_create(id=batch)
            rows = _requests_of(taken) if is_new else {}
            _add(rows)
        client.eval(_REMOVE, 1, TAKEN, batch)
    return len(rows)


def _requests_of(taken: Mapping[str, str]) -> dict[_Place, dict[str, int]]:
    keys = ApiKey.objects.filter(id__in={name.split(" ")[1] for name in taken})
    owners = dict(keys.values_list("id", "organization_id"))
    rows: dict[_Place, dict[str, int]] = defaultdict(dict)
    for name, count in taken.items():
        day, key, status = name.split(" ")
        key_id = UUID(key)
        if key_id in owners:
            rows[_Place(owners[key_id], date.fromisoformat(day), key_id)][f"requests_{status}"] = int(count)
    return rows


def _add(rows: Mapping[_Place, Mapping[str, int]]) -> None:
    if not rows:
        return
    # In one order, so that two who write do not wait for each other in a circle.
    places = sorted(rows, key=str)
    columns = [[rows[place].get(name, 0) for place in places] for name in _COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [*map(list, zip(*places, strict=True)), *columns])


def remove_old_usage() -> int:
    """Remove days past their retention, and the ids of batches that are long written; how many days of keys."""
    now = timezone.now()
    UsageBatch.objects.filter(written_at__lt=now - timedelta(days=BATCHES_KEPT_DAYS)).delete()
    removed, _ = UsageDay.objects.filter(day__lt=now.date() - timedelta(days=RETENTION_DAYS)).delete()
    return removed

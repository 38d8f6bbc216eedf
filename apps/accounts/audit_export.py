"""The audit trail as NDJSON: one event a line, with its seal, in the form that the seal's hash was made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from apps.accounts.chain import EVENT_FIELDS, line, plain
from apps.accounts.models import AuditEvent, AuditSeal

_ROWS_AT_ONCE = 1000


def export_lines(events: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """Every event as of one moment, oldest first, in constant memory. `hash` is null where an event is not sealed yet;
    a line without its `hash` is what was hashed."""
    rows = events.order_by("id").values(*EVENT_FIELDS).iterator(chunk_size=_ROWS_AT_ONCE)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        yield b"".join(_lines(some))


def export_to_the_end(events: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """The same with one line more, which tells who reads it that nothing was cut off."""
    count = 0
    for some in export_lines(events):
        count += some.count(b"\n")
        yield some
    yield line({"type": "end", "count": count}).encode() + b"\n"


def _lines(rows: list[Any]) -> Iterable[bytes]:
    seals = AuditSeal.objects.in_bulk([row["id"] for row in rows])
    for row in rows:
        seal = seals.get(row["id"])
        sealed = {
            "sequence": seal and seal.sequence,
            "previous_hash": seal and bytes(seal.previous_hash).hex(),
            "hash": seal and bytes(seal.hash).hex(),
        }
        yield line(plain(row) | sealed).encode() + b"\n"

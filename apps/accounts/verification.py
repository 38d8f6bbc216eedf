"""Proof that the audit trail is what was sealed, row by row, in constant memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.chain import EVENT_FIELDS, START, seal_hash

SEALED_WITHIN_SECONDS = 5.0
_ROWS_AT_ONCE = 2000

_SEALS = f"""
SELECT seal.organization_id, seal.sequence, seal.event_id, seal.previous_hash, seal.hash,
       {", ".join(f"event.{name}" for name in EVENT_FIELDS)}
FROM accounts_auditseal seal LEFT JOIN accounts_auditevent event ON event.id = seal.event_id
{{where}} ORDER BY seal.organization_id NULLS FIRST, seal.sequence
"""  # noqa: S608 - our own column names
_UNSEALED = """
SELECT event.id, event.organization_id FROM accounts_auditevent event
WHERE event.at < %s {and_organization}
  AND NOT EXISTS (SELECT FROM accounts_auditseal seal WHERE seal.event_id = event.id)
ORDER BY event.id LIMIT 1
"""
_GONE_BEFORE_SEAL = """
SELECT waiting.event_id FROM accounts_unsealedevent waiting
WHERE NOT EXISTS (SELECT FROM accounts_auditevent event WHERE event.id = waiting.event_id)
ORDER BY waiting.event_id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One chain. `organization_id` null is the installation's; `head` is the last good seal's hash; `broken` names
    the first broken row, or is empty; `found` are those of the expected hashes that the chain contains."""

    organization_id: UUID | None
    seals: int
    head: bytes
    broken: str
    found: frozenset[bytes]


def verify_chains(organization_id: UUID | None = None, expected: Iterable[bytes] = ()) -> Iterator[Verdict]:
    """Check every chain, or that of one organisation, against the events as they are now."""
    where, values = ("", []) if organization_id is None else ("WHERE seal.organization_id = %s", [organization_id])
    wanted = frozenset(expected)
    for chain, rows in groupby(_rows(_SEALS.format(where=where), values), key=lambda row: row[0]):
        yield _verdict(chain, rows, wanted)


def _rows(statement: str, values: list[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of one statement, and so of one moment, through a cursor of the server."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield from rows


def _verdict(chain: UUID | None, rows: Iterator[tuple[Any, ...]], wanted: frozenset[bytes]) -> Verdict:
    seals, head, broken = 0, START, ""
    found: set[bytes] = set()
    for _, sequence, event_id, previous_hash, digest, *columns in rows:
        if broken:
            continue  # what follows a break proves nothing; the cursor still has to reach the next chain
        broken = _fault(chain, (seals, head), (sequence, event_id, bytes(previous_hash), bytes(digest)), columns)
        if not broken:
            seals, head = sequence, bytes(digest)
            found |= wanted & {head}
    return Verdict(chain, seals, head, broken, frozenset(found))


def _fault(chain: UUID | None, last: tuple[int, bytes], seal: tuple[int, int, bytes, bytes], columns: list[Any]) -> str:
    """What is wrong with a seal, given sequence and hash of the one before; empty if nothing is."""
    sequence, event_id, previous_hash, digest = seal
    if sequence != last[0] + 1:
        return f"the seal {last[0] + 1} is missing"
    if previous_hash != last[1]:
        return f"the seal {sequence} (event {event_id}) does not follow the one before: seals were changed"
    event = dict(zip(EVENT_FIELDS, columns, strict=True))
    if event["id"] is None:
        return f"the event {event_id} (seal {sequence}) is missing"
    if event["organization_id"] != chain or seal_hash(event, sequence=sequence, previous_hash=previous_hash) != digest:
        return f"the event {event_id} (seal {sequence}) was changed"
    return ""


def find_unsealed(organization_id: UUID | None = None) -> str:
    """What is wrong with events outside the chains; empty if nothing is.

    An event of a long transaction is old when it appears, so an old one is looked at again a while later.
    """
    found = _first_unsealed(organization_id)
    deadline = time.monotonic() + SEALED_WITHIN_SECONDS
    while found is not None and time.monotonic() < deadline:
        time.sleep(0.2)
        again = _first_unsealed(organization_id)
        if again != found:  # it was sealed: whoever seals is at work, perhaps on a long queue
            deadline, found = time.monotonic() + SEALED_WITHIN_SECONDS, again
    if found is not None:
        return f"the event {found[0]} is not sealed: is the worker of the housekeeping queue running?"
    gone = _one(_GONE_BEFORE_SEAL, []) if organization_id is None else None
    return "" if gone is None else f"the event {gone[0]} is missing; it was never sealed"


def _first_unsealed(organization_id: UUID | None) -> tuple[Any, ...] | None:
    clause, values = ("", []) if organization_id is None else ("AND event.organization_id = %s", [organization_id])
    before = timezone.now() - timedelta(seconds=SEALED_WITHIN_SECONDS)
    return _one(_UNSEALED.format(and_organization=clause), [before, *values])


def _one(statement: str, values: list[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row

"""The sealer: chains the events of the audit trail behind the backs of those who write them.

A loop in every worker of the housekeeping queue, not a task in that queue: it goes on while the broker is away and
while a long task runs, and starts again with its worker. Of several sealers one works at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, close_old_connections, connection, transaction

from apps.accounts.chain import EVENT_FIELDS, START, seal_hash
from apps.accounts.models import UnsealedEvent

log = structlog.get_logger(__name__)

# A seal is promised within a second; to look for events that wait costs a fraction of a millisecond.
INTERVAL_SECONDS = 0.2
PAUSE_SECONDS = 5.0  # after an error of the database
BATCH = 1000
_LOCK = 0x48454C53  # of the installation's database; any number that nothing else locks

_WAITING = f"""
SELECT {", ".join(f"event.{name}" for name in EVENT_FIELDS)}
FROM accounts_unsealedevent waiting JOIN accounts_auditevent event ON event.id = waiting.event_id
ORDER BY waiting.event_id LIMIT %s
"""  # noqa: S608 - our own column names
_HEADS = """
SELECT chain.id, head.sequence, head.hash FROM unnest(%s::uuid[]) AS chain (id)
CROSS JOIN LATERAL (SELECT sequence, hash FROM accounts_auditseal
                    WHERE organization_id = chain.id ORDER BY sequence DESC LIMIT 1) AS head
"""
_INSTALLATION_HEAD = """
SELECT NULL::uuid, sequence, hash FROM accounts_auditseal
WHERE organization_id IS NULL ORDER BY sequence DESC LIMIT 1
"""
# Not by the ORM, which costs twice the CPU of all the rest: the sealer must keep up with writers on every processor.
_APPEND = "COPY accounts_auditseal (event_id, organization_id, sequence, previous_hash, hash) FROM STDIN"
_DONE = "DELETE FROM accounts_unsealedevent WHERE event_id = ANY(%s)"

Chain = UUID | None
Head = tuple[int, bytes]
Link = tuple[int, Chain, int, bytes, bytes]  # the columns of a seal


def seal_waiting(batch: int = BATCH) -> int:
    """Seal every event that has been committed; how many; 0 while another sealer is at it.

    One transaction a batch. It locks only its own rows of the queue and the seals, never an event.
    """
    total = 0
    while UnsealedEvent.objects.exists() and (sealed := _seal_batch(batch)):
        total += sealed
    return total


def _seal_batch(batch: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        # Who wants a whole table, as a migration does, need not wait for us, nor we in its way.
        cursor.execute("SET LOCAL lock_timeout = '500ms'")
        # A statement of its own: those that follow see what the sealer before us has committed.
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if cursor.fetchone() != (True,):
            return 0
        cursor.execute(_WAITING, [batch])
        events = [dict(zip(EVENT_FIELDS, row, strict=True)) for row in cursor.fetchall()]
        heads = _heads(cursor, {event["organization_id"] for event in events})
        with connection.wrap_database_errors, cursor.copy(_APPEND) as copy:
            for link in _links(events, heads):
                copy.write_row(link)
        cursor.execute(_DONE, [[event["id"] for event in events]])
    return len(events)


def _heads(cursor: Any, chains: set[Chain]) -> dict[Chain, Head]:
    """Sequence and hash of the last seal of each chain; a chain without any is left out."""
    cursor.execute(_HEADS, [[chain for chain in chains if chain is not None]])
    found = cursor.fetchall()
    if None in chains:
        cursor.execute(_INSTALLATION_HEAD)
        found += cursor.fetchall()
    return {chain: (sequence, bytes(digest)) for chain, sequence, digest in found}


def _links(events: list[dict[str, Any]], heads: dict[Chain, Head]) -> Iterator[Link]:
    for event in events:
        chain = event["organization_id"]
        last, previous = heads.get(chain, (0, START))
        digest = seal_hash(event, sequence=last + 1, previous_hash=previous)
        yield event["id"], chain, last + 1, previous, digest
        heads[chain] = (last + 1, digest)


def start_sealer() -> threading.Thread:
    """Begin to seal in a thread that ends with this process. A batch that is cut short is rolled back whole."""
    thread = threading.Thread(target=_seal_for_ever, name="audit-sealer", daemon=True)
    thread.start()
    return thread


def _seal_for_ever() -> None:
    pause = threading.Event()  # nobody sets it: its wait is a sleep
    delay = INTERVAL_SECONDS
    while not pause.wait(delay):
        delay = INTERVAL_SECONDS
        try:
            close_old_connections()
            seal_waiting()
        except DatabaseError as error:
            log.warning("audit_not_sealed", error=type(error).__name__)
            delay = PAUSE_SECONDS
        except Exception:
            log.exception("audit_not_sealed")
            delay = PAUSE_SECONDS

"""An import from its first line to its last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO
from uuid import UUID

from django.db import OperationalError, transaction

from apps.accounts import audit
from apps.patients.services import trail
from apps.patients.transfer.keepers import AppointmentKeeper, NoteKeeper, PatientKeeper
from apps.patients.transfer.keeping import BUSY, Import
from apps.patients.transfer.known import Known
from apps.patients.transfer.lines import Line, encoded
from apps.patients.transfer.reading import Reader, numbered
from helios_site.api.context import current_request, reset_request, set_request
from helios_site.deadlocks import is_deadlock

BATCH_LINES = 500
BATCH_BYTES = 4 * 2**20  # a batch is in memory
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Options:
    update: bool = False  # what is there already; otherwise it is skipped
    dry_run: bool = False
    atomic: bool = False


def import_lines(
    body: IO[bytes],
    *,
    actor: audit.Actor,
    organization_id: UUID,
    granted: Collection[str],
    options: Options,
    on_missing_scope: Callable[[str], None],
) -> Iterator[bytes]:
    """Import the lines of `body`, and reply to each with a line. Every batch is one transaction with one row of the
    audit trail; `atomic` makes them one, whose last reply says what became of it. What a caller does not wait for is
    not imported."""
    return _Running(actor, organization_id, options, Reader(granted)).replies(body, on_missing_scope)


class _Running:
    def __init__(self, actor: audit.Actor, organization_id: UUID, options: Options, reader: Reader) -> None:
        self._actor, self._organization_id, self._options = actor, organization_id, options
        self._reader = reader
        self._request = current_request()
        self._done: Counter[str] = Counter()
        self._failed = False

    def replies(self, body: IO[bytes], on_missing_scope: Callable[[str], None]) -> Iterator[bytes]:
        try:
            with body, Known() as known:
                self._wanted = Import(self._organization_id, self._options.update, self._options.dry_run, known)
                self._keepers = [kind(self._wanted) for kind in (PatientKeeper, AppointmentKeeper, NoteKeeper)]
                yield from self._whole(body) if self._options.atomic else self._batches(body)
        finally:
            with self._within_request():
                for scope in sorted(self._reader.missing_scopes):
                    on_missing_scope(scope)

    def _whole(self, body: IO[bytes]) -> Iterator[bytes]:
        with transaction.atomic():
            yield from self._batches(body)
            undone = self._failed or self._options.dry_run
            if undone:
                transaction.set_rollback(True)
            else:
                self._record(self._done)
        if undone:
            self._record(self._done, outcome="rolled_back")
        yield encoded({"status": "rolled_back" if undone else "committed"})

    def _batches(self, body: IO[bytes]) -> Iterator[bytes]:
        batch: list[Line] = []
        size = 0
        for number, raw in numbered(body):
            line = self._reader.read(number, raw)
            if line is not None:
                batch.append(line)
            size += len(raw or b"")
            if len(batch) >= BATCH_LINES or size >= BATCH_BYTES:
                yield self._replies_to(batch)
                batch, size = [], 0
        if batch:
            yield self._replies_to(batch)

    def _replies_to(self, batch: list[Line]) -> bytes:
        to_keep = [line for line in batch if line.reply is None]
        for _ in range(_ATTEMPTS):
            try:
                with transaction.atomic():
                    self._keep(batch, to_keep)
                break
            except OperationalError as error:
                if not is_deadlock(error):
                    raise
                for line in to_keep:
                    line.reply = line.pk = line.patient_id = None
        for line in to_keep:
            if line.reply is None:
                line.fail(BUSY)
        self._done += _told(batch)
        self._failed = self._failed or any(line.failed for line in batch)
        return b"".join(encoded(line.reply or {}) for line in batch)

    def _keep(self, batch: list[Line], to_keep: list[Line]) -> None:
        self._wanted.made.clear()
        for keeper in self._keepers:
            lines = [line for line in to_keep if line.kind == keeper.kind]
            if lines:
                keeper.keep(lines)
        if not self._options.atomic:
            self._record(_told(batch))

    def _record(self, done: Counter[str], outcome: str = "ok") -> None:
        """Append what became of how many lines, never what is in them."""
        told = ", ".join(f"{what}: {count}" for what, count in sorted(done.items()))
        with self._within_request():
            trail.record(
                "patient",
                "imported",
                actor=self._actor,
                organization_id=self._organization_id,
                outcome=outcome,
                reason=f"dry run: {told}" if self._options.dry_run else told,
            )

    @contextmanager
    def _within_request(self) -> Iterator[None]:
        """A stream is sent when its request is no longer the current one."""
        token = set_request(self._request)
        try:
            yield
        finally:
            reset_request(token)


def _told(lines: list[Line]) -> Counter[str]:
    """What became of how many lines of which kind."""
    return Counter("line failed" if line.failed else f"{line.kind} {(line.reply or {})['status']}" for line in lines)

"""Keeping the checked lines of an import, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from apps.patients.models import now_to_the_millisecond
from apps.patients.services import records
from apps.patients.transfer.known import Known, Named
from apps.patients.transfer.lines import Line

ATTEMPTS = 4
TWICE = "Must not occur twice in the file"
BUSY = "Other calls were writing the same records. Send the line again"
_TIMES = ("created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Import:
    """What is asked for. `known` are the names in the lines so far, `made` the patients whom the present batch created,
    with the numbers of their lines."""

    organization_id: UUID
    update: bool
    dry_run: bool
    known: Known
    made: dict[int, int] = field(default_factory=dict)


class Keeper:
    """Keeps the lines of one kind. A record that is there already is met by its `external_id`; where a line has none,
    by its id: an export of this organisation is no second copy of it."""

    kind: ClassVar[str]
    model: ClassVar[Any]

    def __init__(self, wanted: Import) -> None:
        self.wanted = wanted

    def keep(self, lines: list[Line]) -> None:
        """Give each of them its reply."""
        self._refuse_twice("id", [(line.file_id, line) for line in lines])
        self._refuse_twice("external_id", [(line.external_id, line) for line in lines])
        left = self.prepared([line for line in lines if line.reply is None])
        for attempt in range(ATTEMPTS):
            if left:
                left = self._attempt(left, attempt)
        for line in left:
            line.fail(BUSY)
        kept = [line for line in lines if not line.failed]
        self._remember("id", [(line.file_id, line) for line in kept])
        self._remember("external_id", [(line.external_id, line) for line in kept])

    # -- What differs by kind -----------------------------------------------------------------------

    def prepared(self, lines: list[Line]) -> list[Line]:
        """Those that can be kept; the others get their reply."""
        return lines

    def new_pk(self, line: Line, attempt: int) -> Any:
        raise NotImplementedError

    def own_pks(self, line: Line, new_pk: Any) -> list[Any]:
        """The ids under which a record without an `external_id` may be there already."""
        raise NotImplementedError

    def is_of(self, line: Line, record: Any) -> bool:
        """Whether a record of such an id is the line's."""
        return True

    def values(self, line: Line, *, new: bool) -> dict[str, Any]:
        """The fields of a record that the line gives; of a new one all but its times."""
        fixed = _TIMES if new else (*_TIMES, "external_id")
        return {name: value for name, value in line.fields.items() if name not in fixed}

    def check(self, record: Any, changes: dict[str, Any]) -> None:
        """Raises ValidationError by field for what does not fit together."""

    def change(self, record: Any, changes: dict[str, Any]) -> bool:
        """Change a record whose lock is held; False when nothing differs."""
        return records.apply(record, changes, None)

    def before_insert(self, rows: list[tuple[Line, Any]]) -> None:
        """Store what the new rows refer to."""

    def made_known(self, line: Line) -> int:
        """What later lines that name this one refer to."""
        return 0

    # -- What does not ------------------------------------------------------------------------------

    def _refuse_twice(self, name: str, named: list[tuple[str | None, Line]]) -> None:
        """A name stands for one line of the file, the first."""
        seen = set(self.wanted.known.find(f"{self.kind}.{name}", {one for one, _ in named if one is not None}))
        for one, line in named:
            if one is not None and line.reply is None:
                if one in seen:
                    line.invalid({name: [TWICE]})
                seen.add(one)

    def _remember(self, name: str, named: list[tuple[str | None, Line]]) -> None:
        rows = [(one, Named(self.made_known(line), line.number)) for one, line in named if one is not None]
        self.wanted.known.add(f"{self.kind}.{name}", rows)

    def _attempt(self, lines: list[Line], attempt: int) -> list[Line]:
        """Those that something else was in the way of, which may be gone by now."""
        pks = {line.number: self.new_pk(line, attempt) for line in lines}
        there = self._there(lines, pks)
        fresh = []
        for line in lines:
            record = there.get(line.number)
            if record is not None:
                self._meet(line, record)
            elif self.wanted.dry_run:
                line.answer("created", None)
            else:
                fresh.append((line, pks[line.number]))
        return self._insert(fresh) if fresh else []

    def _there(self, lines: list[Line], pks: dict[int, Any]) -> dict[int, Any]:
        """The records that are there already, by the number of the line."""
        by_name = {line.number: line.external_id for line in lines if line.external_id is not None}
        by_pk = {
            line.number: self.own_pks(line, pks[line.number])
            for line in lines
            if line.external_id is None and line.file_id is not None
        }
        named: dict[Any, Any] = {}
        identified: dict[Any, Any] = {}
        if by_name:
            found = self._locked(self._live().filter(external_id__in=by_name.values()))
            named = {record.external_id: record for record in found}
        if by_pk:
            found = self._locked(self._live().filter(pk__in={pk for some in by_pk.values() for pk in some}))
            identified = {record.pk: record for record in found}
        there: dict[int, Any] = {}
        for line in lines:
            candidates = [named.get(line.external_id), *(identified.get(pk) for pk in by_pk.get(line.number, ()))]
            for record in candidates:
                if record is not None and (line.external_id is not None or self.is_of(line, record)):
                    there[line.number] = record
        return there

    def _live(self) -> QuerySet[Any]:
        live: QuerySet[Any] = self.model.objects.of(self.wanted.organization_id)
        return live

    def _locked(self, found: QuerySet[Any]) -> QuerySet[Any]:
        changes = self.wanted.update and not self.wanted.dry_run
        return found.order_by("pk").select_for_update() if changes else found

    def _meet(self, line: Line, record: Any) -> None:
        """The record is there already."""
        changed = False
        if self.wanted.update:
            changes = self.values(line, new=False)
            try:
                self.check(record, changes)
            except ValidationError as error:
                line.invalid(error.message_dict)
                return
            if self.wanted.dry_run:
                changed = any(getattr(record, name) != value for name, value in changes.items())
            else:
                changed = self.change(record, changes)
        line.answer("updated" if changed else "skipped", record.pk)

    def _insert(self, fresh: list[tuple[Line, Any]]) -> list[Line]:
        """Store new records; the lines whose place somebody else took meanwhile."""
        now = now_to_the_millisecond()
        rows = [(line, self._row(line, pk, now)) for line, pk in fresh]
        self.before_insert(rows)
        # In one order, so that two imports of one file wait for each other, and not both for ever.
        in_order = sorted((row for _, row in rows), key=lambda row: (getattr(row, "external_id", None) or "", row.pk))
        self.model.objects.bulk_create(in_order, ignore_conflicts=True)
        stored = set(self._live().filter(pk__in=[row.pk for row in in_order]).values_list("pk", flat=True))
        for line, row in rows:
            if row.pk in stored:
                line.answer("created", row.pk)
        return [line for line, row in rows if row.pk not in stored]

    def _row(self, line: Line, pk: Any, now: datetime) -> Any:
        created_at, updated_at = times(line.fields, now)
        return self.model(
            pk=pk, organization_id=self.wanted.organization_id, created_at=created_at, updated_at=updated_at,
            **self.values(line, new=True),
        )  # fmt: skip


def times(fields: dict[str, Any], now: datetime) -> tuple[datetime, datetime]:
    """When a line says that its record was made and changed, neither of them in the future."""
    created_at = min(fields.get("created_at") or now, now)
    return created_at, min(max(fields.get("updated_at") or created_at, created_at), now)


def present(values: Iterable[Any]) -> set[Any]:
    return {value for value in values if value is not None}

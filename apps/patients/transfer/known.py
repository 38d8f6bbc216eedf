"""What the lines of an import have named so far."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from django.db import DatabaseError, connection


class Named(NamedTuple):
    """The row that a line became, or 0 where none was stored, and the line."""

    pk: int
    line: int


class Known:
    """Ids and external ids by `kind` of name. They are in a temporary table of the database session, since a file may
    name a million, and so that what a batch named is undone with the batch."""

    def __enter__(self) -> Known:
        self._execute("DROP TABLE IF EXISTS pg_temp.transfer_known")  # of a stream that was cut
        self._execute(
            "CREATE TEMPORARY TABLE transfer_known"
            " (kind text, name text, pk bigint, line integer, PRIMARY KEY (kind, name))"
        )
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(DatabaseError):  # a connection that broke has no table any more
            self._execute("DROP TABLE IF EXISTS pg_temp.transfer_known")

    def find(self, kind: str, names: Collection[str]) -> dict[str, Named]:
        """Those of `names` that are known."""
        if not names:
            return {}
        rows = self._execute(
            "SELECT name, pk, line FROM pg_temp.transfer_known WHERE kind = %s AND name = ANY(%s)", [kind, list(names)]
        )
        return {name: Named(pk, line) for name, pk, line in rows}

    def add(self, kind: str, named: Iterable[tuple[str, Named]]) -> None:
        """Names that are not known yet."""
        rows = [(name, *one) for name, one in named]
        if rows:
            names, pks, lines = zip(*rows, strict=True)
            self._execute(
                "INSERT INTO pg_temp.transfer_known SELECT %s, * FROM unnest(%s::text[], %s::bigint[], %s::integer[])",
                [kind, list(names), list(pks), list(lines)],
            )

    def _execute(self, statement: str, values: list[Any] | None = None) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

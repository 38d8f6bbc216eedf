"""A ZIP file that is written in one pass in little memory: JSON in UTF-8, lists of many as one object a line, and
objects of the storage byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from helios_site.storage import object_store

ROWS_AT_ONCE = 200
PIECE_BYTES = 1 << 20


class _Sink:
    """What ZipFile writes to when it cannot go back."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, piece: bytes) -> int:
        self._write(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Every piece has gone on already."""


class ZipArchive:
    """Gives the file to `write` piece by piece; whole once the context is left."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        sink: Any = _Sink(write)
        self._file = ZipFile(sink, "w")

    def __enter__(self) -> ZipArchive:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def add(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write a member; of how many pieces."""
        count = 0
        with self._member(name, ZIP_DEFLATED) as member:
            for piece in pieces:
                member.write(piece)
                count += 1
        return count

    def add_json(self, name: str, value: Any) -> None:
        self.add(name, [json.dumps(value, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False).encode() + b"\n"])

    def add_lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Write a member with an object a line; how many."""
        return self.add(name, map(_line, rows))

    def add_object(self, name: str, key: str) -> bool:
        """Copy an object of the storage; False when it was erased since its row was read."""
        try:
            with (
                object_store().local_path(key) as path,
                open(path, "rb") as source,
                self._member(name, ZIP_STORED) as member,  # most are compressed already
            ):
                while piece := source.read(PIECE_BYTES):
                    member.write(piece)
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _member(self, name: str, compression: int) -> Iterator[IO[bytes]]:
        info = ZipInfo(name, date_time=timezone.now().timetuple()[:6])
        info.compress_type = compression
        info.external_attr = 0o600 << 16
        with self._file.open(info, "w", force_zip64=True) as member:  # the size is known only at the end
            yield member


def in_pieces(rows: Any) -> Iterator[Any]:
    """The rows of a query, some at a time."""
    return iter(rows.iterator(chunk_size=ROWS_AT_ONCE))


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n"

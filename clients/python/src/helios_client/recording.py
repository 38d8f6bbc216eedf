"""The bytes of a recording, from wherever they come, in pieces and as often as they are needed."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

PIECE_BYTES = 256 * 1024

Source = str | os.PathLike[str] | bytes | BinaryIO


@dataclass(frozen=True, slots=True)
class Recording:
    """A file from where it stood to its end: `size` bytes."""

    file: BinaryIO = field(repr=False)
    start: int
    size: int

    def pieces(self) -> Iterator[bytes]:
        """All of it, from the beginning each time."""
        self.file.seek(self.start)
        left = self.size
        while left and (piece := self.file.read(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece


@contextmanager
def opened(source: Source) -> Iterator[Recording]:
    """A path is opened and closed again; a file that the caller opened stays open. Raises OSError, and ValueError for
    a stream that cannot be read twice."""
    if isinstance(source, bytes):
        yield Recording(io.BytesIO(source), 0, len(source))
    elif isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            yield _whole(file)
    else:
        yield _whole(source)


def _whole(file: BinaryIO) -> Recording:
    if not file.seekable():
        raise ValueError("a stream cannot be sent again after a lost connection: pass a file, its path or its bytes")
    start = file.tell()
    return Recording(file, start, file.seek(0, io.SEEK_END) - start)

"""Objects in a folder of the data directory."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from helios_site.storage import StorageFull


@contextmanager
def full_disk_is_storage_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("The disk of the storage is full.") from error
        raise


def incoming_folder(root: Path) -> Path:
    """Where what is not whole yet lies; made where it is missing. Raises StorageFull."""
    with full_disk_is_storage_full():
        # One closed door in front of everything: `mode` does not reach the parents that mkdir makes.
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        incoming = root / "incoming"
        incoming.mkdir(exist_ok=True)
    return incoming


class LocalWriter:
    """Writes beside the target and renames on commit: a reader never sees half a file."""

    def __init__(self, root: Path, target: Path) -> None:
        self._incoming = incoming_folder(root) / uuid4().hex
        self._target = target
        with full_disk_is_storage_full():
            self._file = open(self._incoming, "xb", buffering=1 << 20)  # noqa: SIM115 - closed by __exit__
        self._committed = False

    def write(self, piece: bytes) -> None:
        with full_disk_is_storage_full():
            self._file.write(piece)

    def commit(self) -> None:
        with full_disk_is_storage_full():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._incoming.rename(self._target)
        self._committed = True

    def __enter__(self) -> LocalWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._committed:
            return
        with suppress(OSError):  # closing flushes, and may find the disk full: the file goes anyway
            self._file.close()
        self._incoming.unlink(missing_ok=True)


class LocalStorage:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._stored = root / "stored"

    def _path(self, key: str) -> Path:
        return self._stored / key

    def writer(self, key: str) -> LocalWriter:
        return LocalWriter(self._root, self._path(key))

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(f"object {key}")
        yield path

    def copy(self, source: str, target: str) -> None:
        with self.local_path(source) as path, open(path, "rb") as file, self.writer(target) as writer:
            while piece := file.read(1 << 20):
                writer.write(piece)
            writer.commit()

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def keys_before(self, moment: datetime) -> Iterator[str]:
        for path in self._stored.rglob("*"):
            try:
                if path.is_file() and path.stat().st_mtime < moment.timestamp():
                    yield str(path.relative_to(self._stored))
            except FileNotFoundError:
                continue  # removed meanwhile

    def remove_unfinished(self, moment: datetime) -> int:
        removed = 0
        for path in self._incoming.glob("*"):
            try:
                if path.stat().st_mtime < moment.timestamp():
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue
        return removed

"""Where recordings, documents and archives are kept: a local folder or an S3-compatible store, behind one interface.

Keys begin with the organisation, followed by what they are: `archives`, `documents`, `exports`, or the id of the run
that a recording belongs to.

Writers stream: no caller and no implementation holds a whole recording in memory. Nothing that was not
committed can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Protocol

from django.conf import settings


class StorageFull(Exception):
    """The store has no room for the object."""


class Writer(Protocol):
    """One object being written. Used as a context manager, it is discarded unless committed."""

    def write(self, piece: bytes) -> None: ...
    def commit(self) -> None: ...
    def __enter__(self) -> Writer: ...
    def __exit__(self, *exc: object) -> None: ...


class Storage(Protocol):
    def writer(self, key: str) -> Writer:
        """Begin to write the object `key`. Raises StorageFull."""

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """A path that the decoder can open, valid inside the context. Raises FileNotFoundError."""

    def copy(self, source: str, target: str) -> None:
        """Copy an object. Raises FileNotFoundError, StorageFull."""

    def delete(self, key: str) -> None:
        """Remove the object; one that is not there is no error."""

    def keys_before(self, moment: datetime) -> Iterator[str]:
        """Keys of the objects last written before `moment`."""

    def remove_unfinished(self, moment: datetime) -> int:
        """Discard writes begun before `moment` that were never committed; how many."""


@cache
def object_store() -> Storage:
    """The store that the settings choose."""
    if settings.HELIOS_STORAGE == "s3":
        from helios_site.storage.s3 import S3Storage

        return S3Storage.from_settings()
    from helios_site.storage.local import LocalStorage

    return LocalStorage(settings.HELIOS_RECORDINGS_DIR)

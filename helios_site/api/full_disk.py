"""Telling a full disk of the database from its other faults: the caller may try again once there is room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeGuard

from django.db import OperationalError
from psycopg.errors import DiskFull

from helios_site.storage import StorageFull


def is_full_disk(error: BaseException) -> TypeGuard[OperationalError]:
    """Whether PostgreSQL refused a write because its disk is full. What it began to write is rolled back."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, DiskFull)


@contextmanager
def full_database_is_storage_full() -> Iterator[None]:
    """For those to whom it is all one whether the store or the database has no room. Raises StorageFull for both."""
    try:
        yield
    except OperationalError as error:
        if is_full_disk(error):
            raise StorageFull("The disk of the database is full.") from error
        raise

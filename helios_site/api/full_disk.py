"""Telling a full disk from other faults of the database: the caller may try again once there is room."""

from __future__ import annotations

from typing import TypeGuard

from django.db import OperationalError
from psycopg.errors import DiskFull


def is_full_disk(error: BaseException) -> TypeGuard[OperationalError]:
    """Whether PostgreSQL refused a write because its disk is full. What it began to write is rolled back."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, DiskFull)

"""Places in a list that is newest first, as cursors of any family name them.

By place and not by number: rows that are added meanwhile move no row from one page to another.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

Position = tuple[datetime, UUID]  # of one row: when it was created, and its id

# Version (one byte), microseconds since 1970 (seven), id (sixteen): every text of this form is a valid position.
_VERSION = b"\x01"
PATTERN = "A[Q-Za-f][A-Za-z0-9_-]{30}"
_FORM = re.compile(PATTERN)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def pack(position: Position) -> str:
    created_at, identifier = position
    microseconds = (created_at - _EPOCH) // _MICROSECOND
    return base64.urlsafe_b64encode(_VERSION + microseconds.to_bytes(7) + identifier.bytes).decode()


def unpack(text: str) -> Position | None:
    """The position that `pack` wrote; None for any other text."""
    if _FORM.fullmatch(text) is None:
        return None
    packed = base64.urlsafe_b64decode(text)
    return _EPOCH + int.from_bytes(packed[1:8]) * _MICROSECOND, UUID(bytes=packed[8:])


def older(rows: QuerySet[Any, Any], position: Position, *, inclusive: bool = False) -> QuerySet[Any, Any]:
    """The rows after this position, and the one at it if `inclusive`."""
    created_at, identifier = position
    tied = Q(id__lte=identifier) if inclusive else Q(id__lt=identifier)
    # The first condition alone finds the place in the index; the second cuts the ties.
    return rows.filter(created_at__lte=created_at).filter(Q(created_at__lt=created_at) | tied)

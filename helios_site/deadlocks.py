"""Two transactions that wait for each other: PostgreSQL ends one of them, and that one may simply come back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError
from psycopg.errors import DeadlockDetected

_P = ParamSpec("_P")
_R = TypeVar("_R")


def is_deadlock(error: OperationalError) -> bool:
    """Whether the transaction, or the savepoint, was ended so that another one could go on."""
    return isinstance(error.__cause__, DeadlockDetected)


def again_after_deadlock(service: Callable[_P, _R]) -> Callable[_P, _R]:
    """Do the whole of `service`, which is one transaction or a savepoint of its caller's, once more after a deadlock.
    To lose twice in a row is an error."""

    @wraps(service)
    def twice(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return service(*args, **kwargs)
        except OperationalError as error:
            if not is_deadlock(error):
                raise
        return service(*args, **kwargs)

    return twice

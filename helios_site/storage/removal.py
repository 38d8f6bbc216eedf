"""Removing the objects of the storage whose rows were erased.

Whoever erases at once, because somebody waits for the answer, writes down the keys of the objects in the transaction
that erases their rows. So an object is always named, by its row or here: neither a store that is away nor a crash
leaves one behind that nobody knows of. A job that may simply come back removes the objects itself, before their rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial

import structlog
from django.db import transaction
from django.utils import timezone

from helios_site.models import ErasedObject
from helios_site.storage import object_store

log = structlog.get_logger(__name__)

BATCH = 200
AT_ONCE_SECONDS = 2.0  # of the caller whose transaction it was
BUSY_SECONDS = 10.0  # of the worker that others need, too
PAUSE = timedelta(minutes=5)


def remove_after_commit(keys: Iterable[str]) -> None:
    """Have these objects removed once the present transaction, which erases what named them, has committed: those for
    which there is time at once, the others by the job."""
    names = [key for key in keys if key]
    if names:
        ErasedObject.objects.bulk_create([ErasedObject(storage_key=key) for key in names], ignore_conflicts=True)
        transaction.on_commit(partial(_remove, names, AT_ONCE_SECONDS), robust=True)


def remove_erased_objects(*, busy_seconds: float = BUSY_SECONDS) -> int:
    """Remove the objects that wait for it until the time is up; how many. The next call goes on."""
    until = time.monotonic() + busy_seconds
    removed = 0
    due = ErasedObject.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    while keys := list(due.values_list("storage_key", flat=True)[:BATCH]):
        done = _remove(keys, until - time.monotonic())
        removed += done
        if done < len(keys):
            break
    return removed


def _remove(keys: Sequence[str], seconds: float) -> int:
    """How many of them were removed in the time. One that the store refuses waits, and ends the round."""
    until = time.monotonic() + seconds
    done: list[str] = []
    for key in keys:
        if done and time.monotonic() >= until:
            break
        try:
            object_store().delete(key)
        except Exception as error:  # whatever a store raises: the job asks it again
            log.error("object_not_removed", error=type(error).__name__)
            ErasedObject.objects.filter(storage_key=key).update(due_at=timezone.now() + PAUSE)
            break
        done.append(key)
    ErasedObject.objects.filter(storage_key__in=done).delete()
    return len(done)

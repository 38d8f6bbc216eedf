"""What the writes of patients, appointments and documents share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.patients.models import Patient, Record, now_to_the_millisecond
from helios_site.api.families.healos.errors import VersionConflict

_P = ParamSpec("_P")
_R = TypeVar("_R")


class ExternalIdTaken(Exception):
    """Another record of the kind has the `external_id`: `existing`."""

    def __init__(self, existing: Any) -> None:
        super().__init__(existing.pk)
        self.existing = existing


class Retry(Exception):
    """What was in the way is gone again."""


def retried(service: Callable[_P, _R]) -> Callable[_P, _R]:
    """Do the whole again after a Retry. Losing five races in a row is a bug, which the last Retry shows."""

    @wraps(service)
    def once_more(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for _ in range(4):
            with suppress(Retry):
                return service(*args, **kwargs)
        return service(*args, **kwargs)

    return once_more


@contextmanager
def external_id_is_free(record: Record) -> Iterator[None]:
    """One transaction, or a savepoint of the caller's, that writes `record`. Raises ExternalIdTaken with the record
    that has its `external_id` already, and Retry when a collision is over by the time that it is looked at."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        name = record._meta.model_name
        if constraint == f"patients_{name}_pkey":
            raise Retry from None
        if constraint != f"{name}_external_id":
            raise
        external_id = vars(record)["external_id"]
        model: Any = type(record)
        in_the_way = model.objects.of(record.organization_id).filter(external_id=external_id).first()
        if in_the_way is None:
            raise Retry from None
        raise ExternalIdTaken(in_the_way) from None


def live_patient(organization_id: UUID, patient_id: int | None) -> Patient | None:
    """The patient, or None when it is not there. It cannot be deleted before the end of the caller's transaction, so
    that nothing new is kept of a patient who is gone. Take it before the lock of anything that is kept of it."""
    if patient_id is None:
        return None
    found = Patient.objects.raw(
        "SELECT id, name FROM patients_patient WHERE organization_id = %s AND id = %s AND deleted_at IS NULL FOR SHARE",
        [organization_id, patient_id],
    )
    return next(iter(found), None)


def apply(record: Record, changes: Mapping[str, Any], expected_version: int | None) -> bool:
    """Set what differs, and count the change; False when nothing does. The caller holds the row's lock. Raises
    VersionConflict if the row is not at `expected_version`, where one is given."""
    if expected_version is not None and record.version != expected_version:
        raise VersionConflict
    changed = [name for name, value in changes.items() if getattr(record, name) != value]
    if not changed:
        return False
    for name in changed:
        setattr(record, name, changes[name])
    save_change(record, *changed)
    return True


def save_change(record: Record, *fields: str) -> None:
    """Write these fields of a row whose lock the caller holds, as one change of it. To delete it and to bring it back
    is none of its content: what is restored equals what was deleted."""
    record.version += 1
    if "deleted_at" not in fields:
        # Never before an earlier change, whatever the clock says.
        record.updated_at = max(now_to_the_millisecond(), record.updated_at + timedelta(milliseconds=1))
    record.save(update_fields=[*fields, "version", "updated_at"])


def restorable_since() -> datetime:
    """What was deleted before this moment cannot be brought back."""
    return timezone.now() - timedelta(days=settings.SOFT_DELETE_DAYS)

"""The end of what was deleted: once it can no longer be restored, it is removed, files included."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.patients.models import Appointment, Document, Note, Patient, Session
from apps.patients.services import records, trail
from apps.patients.services.erasure import BATCH, remove_files, remove_rows, remove_some
from helios_site.api.families.idempotency import forget
from helios_site.deadlocks import again_after_deadlock

BUSY_SECONDS = 10.0  # of the worker that the sweeper needs, too


def purge_deleted(*, busy_seconds: float = BUSY_SECONDS) -> dict[str, int]:
    """Purge what was deleted `SOFT_DELETE_DAYS` ago, until the time is up; how many of each kind. The next call goes
    on. What went with a patient goes with it again; runs of a patient keep their data, without the patient."""
    until = time.monotonic() + busy_seconds
    # A store that is away holds up files alone, so what has none comes first.
    return {
        "appointment": _purge("appointment", Appointment, until),
        "note": _purge("note", Note, until),
        "document": _purge("document", Document, until),
        "patient": _purge("patient", Patient, until),
    }


def _purge(kind: str, model: Any, until: float) -> int:
    purged = 0
    while ids := list(_due(model).values_list("pk", flat=True)[:BATCH]):
        if model is Patient and not remove_files(_due(Patient).filter(pk__in=ids), until=until):
            break
        removed = _remove(kind, model, ids)
        purged += removed
        if not removed or time.monotonic() >= until:
            break
    return purged


def _due(model: Any) -> Any:
    due = model.objects.filter(deleted_at__lt=records.restorable_since()).order_by("deleted_at")
    return due if model is Patient else due.filter(deleted_with_patient=False)


@again_after_deadlock  # it locks a patient, then the patient's runs; who ends a run does so the other way round
@transaction.atomic
def _remove(kind: str, model: Any, ids: list[Any]) -> int:
    rows = _due(model).filter(pk__in=ids)
    removed: list[tuple[Any, UUID]]
    if model is Document:
        removed = list(remove_some(rows))
    else:
        removed = list(rows.select_for_update().order_by("pk").values_list("pk", "organization_id"))
    ids = [pk for pk, _ in removed]
    gone: list[object] = ids
    if model is Patient:
        gone = remove_rows(ids)
    elif model is Note:
        gone = [*ids, *_remove_notes(ids)]
    else:
        model.objects.filter(pk__in=ids).delete()
    for pk, organization_id in removed:
        trail.record(kind, "purged", organization_id=organization_id, object_id=pk)
    for organization_id in {organization_id for _, organization_id in removed}:
        forget(organization_id, gone)
    return len(removed)


def _remove_notes(ids: list[Any]) -> list[UUID]:
    """Remove notes, whose locks the caller holds, and the sessions of which nothing else is kept; the ids of these. A
    session stays while a note of it is there, be it deleted: it can be brought back."""
    notes = Note.objects.filter(pk__in=ids)
    of_notes = Session.objects.filter(pk__in=set(notes.values_list("session_id", flat=True)))
    notes.only("pk").delete()
    # Locked before the look, so that an import which adds a note at this moment is seen, or finds no session.
    sessions = dict(of_notes.select_for_update().order_by("pk").values_list("pk", "organization_id"))
    kept = set(Note.objects.filter(session__in=sessions).values_list("session_id", flat=True))
    bare = [pk for pk in sessions if pk not in kept]
    Session.objects.filter(pk__in=bare).only("pk").delete()
    for pk in bare:
        trail.record("session", "purged", organization_id=sessions[pk], object_id=pk)
    return bare

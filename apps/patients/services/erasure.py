"""Removing patients for ever, with all that is kept of them here. Who calls this says why in the audit trail.

Runs know patients and not the other way round: the database leaves a run that is linked to a patient without one.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts import audit
from apps.patients.models import Appointment, Document, Note, Patient, PatientExport, RecordCount, Session
from apps.patients.services import trail
from helios_site.storage import object_store

BATCH = 200
_WITH_FILES: tuple[Any, ...] = (Document, PatientExport)
_KEPT_OF_PATIENTS: tuple[Any, ...] = (Note, Session, Appointment, *_WITH_FILES)


@dataclass(frozen=True, slots=True)
class Gone:
    """What was removed: the ids of all objects, those of the documents, and the keys of the files, which are not."""

    object_ids: list[object]
    document_ids: list[UUID]
    storage_keys: list[str]


def hold_patient(*, organization_id: UUID, patient_id: int) -> bool:
    """Lock a patient, deleted or not, until the caller's transaction ends; False when it is not there. What is being
    added to it at the same time is there by now, or waits and finds no patient."""
    held = Patient.objects.select_for_update().filter(organization_id=organization_id, id=patient_id)
    return held.values_list("id").first() is not None


def erase_patient(*, actor: audit.Actor, organization_id: UUID, patient_id: int, reason: str) -> Gone:
    """Remove a patient whose lock the caller holds, in the caller's transaction; the files are the caller's, too."""
    documents, keys = list[UUID](), list[str]()
    for model in _WITH_FILES:
        # Locked, so that an archive that is just being made is found with its file, or finds no row.
        rows = model.objects.select_for_update().filter(patient_id=patient_id).values_list("pk", "storage_key")
        for pk, key in rows:
            keys.append(key)
            if model is Document:
                documents.append(pk)
    gone = Gone(remove_rows([patient_id]), documents, keys)
    trail.record("patient", "erased", actor=actor, organization_id=organization_id, object_id=patient_id, reason=reason)
    return gone


def remove_rows(patient_ids: Collection[int]) -> list[object]:
    """Remove patients, whose locks the caller holds, with all rows of them; the ids of all that is gone."""
    gone: list[object] = list(patient_ids)
    for model in _KEPT_OF_PATIENTS:
        rows = model.objects.filter(patient_id__in=patient_ids)
        gone += rows.values_list("pk", flat=True)
        rows.only("pk").delete()  # Django reads what it deletes: never the transcripts of 200 patients at once
    Patient.objects.filter(id__in=patient_ids).only("pk").delete()
    return gone


def remove_files(patients: QuerySet[Any], *, until: float) -> bool:
    """Remove the documents and archives of patients; False when there was not enough time, and some may be left."""
    for model in _WITH_FILES:
        while _remove_some_of(patients, model):
            if time.monotonic() >= until:
                return False
    return True


@transaction.atomic
def _remove_some_of(patients: QuerySet[Any], model: Any) -> bool:
    # Whom somebody brings back at this moment is one of `patients` no more once the lock is there, and keeps its files.
    held = list(patients.select_for_update().values_list("pk", flat=True))
    return bool(remove_some(model.objects.filter(patient_id__in=held)))


def remove_some(rows: QuerySet[Any]) -> list[tuple[UUID, UUID]]:
    """Remove some documents, or archives, with their files; their ids and organisations."""
    with transaction.atomic():
        some = list(rows.select_for_update().order_by("pk").values_list("pk", "organization_id", "storage_key")[:BATCH])
        for _, _, key in some:
            if key:
                # Before the row forgets the key: a failing store leaves the row due, and the next call tries again.
                object_store().delete(key)
        rows.model._default_manager.filter(pk__in=[pk for pk, _, _ in some]).delete()
    return [(pk, organization_id) for pk, organization_id, _ in some]


def erase_patients(*, organization_id: UUID, until: float) -> bool:
    """Remove all patients of an organisation that is being erased; False when there was not enough time. The caller
    sees to it that nobody adds any."""
    of_it = Patient.objects.filter(organization_id=organization_id)
    # Each half is found by an index of its own.
    for patients in (of_it.filter(deleted_at__isnull=True), of_it.filter(deleted_at__isnull=False)):
        while ids := list(patients.values_list("id", flat=True)[:BATCH]):
            if not remove_files(patients.filter(id__in=ids).order_by("id"), until=until):
                return False
            with transaction.atomic():
                list(Patient.objects.select_for_update().filter(id__in=ids).order_by("id").values_list("id"))
                remove_rows(ids)
            if time.monotonic() >= until:
                return False
    RecordCount.objects.filter(organization_id=organization_id).delete()
    return True

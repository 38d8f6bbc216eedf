"""Erasing what was promised to be erased, and what nobody needs any more."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.model_runs.models import DataToDelete, ModelRun, Status
from apps.model_runs.services import announcing, trail
from apps.model_runs.services.closing import ARCHIVES, archives_in_use
from apps.model_runs.services.creation import remove_runs, run_of_recording
from apps.patients.selectors import DOCUMENTS, EXPORTS, files_in_use
from apps.patients.services import remove_notes_of_runs, withdraw_exports
from helios_site.api.families.healos.fields import parse_uuid
from helios_site.api.families.idempotency import forget
from helios_site.storage import object_store

BATCH = 500
# Objects that no row names are removed only when no upload can still be about to name them.
LEFTOVER_AGE = timedelta(hours=6)
_NOT_OF_RUNS = (ARCHIVES, DOCUMENTS, EXPORTS)

_BLANK_INPUTS: dict[str, object] = {
    "date_of_birth": None,
    "birth_sex": "",
    "language": "",
    "accent": None,
    "sleep_time": None,
    "wake_time": None,
    "recording_time": None,
    "tags": [],
    "return_url": "",
    "patient": None,  # it says who the person is
}
_BLANK_RESULTS: dict[str, object] = {
    "warnings": [],
    "transcript": "",
    "scores": None,
    "duration_seconds": None,
    "speech_seconds": None,
    "quality": None,
    "confidence": None,
    "evidence": None,
    "explanation": None,
    "safety": None,
    "outline": None,
    "model_version": "",
    "stage_seconds": None,
}


def erase_due_data() -> int:
    """Erase the data of runs with `deleteData` that finished 12 hours ago; how many runs.

    The read side refuses them to the second by itself; this removes the bytes.
    """
    due = timezone.now() - timedelta(hours=settings.HELIOS_DELETE_DATA_AFTER_HOURS)
    ids = ModelRun.objects.filter(delete_data=True, erased_at__isnull=True, completed_at__lte=due).values_list(
        "id", flat=True
    )
    return sum(_erase(run_id) for run_id in ids.iterator())


def _erase(run_id: UUID) -> bool:
    with transaction.atomic():
        run = ModelRun.objects.select_for_update().filter(id=run_id, erased_at__isnull=True).first()
        if run is None:
            return False
        kinds = set(run.data_to_delete) or set(DataToDelete.values)
        if DataToDelete.RECORDINGS in kinds and run.recording_key:
            # Before the row forgets the key: a failing store leaves the run due, and the next tick tries again.
            object_store().delete(run.recording_key)
        if kinds == set(DataToDelete.values):
            remove_runs([run.id])
            announcing.deleted(run)
        else:
            changes: dict[str, object] = {"erased_at": timezone.now()}
            if DataToDelete.RECORDINGS in kinds:
                changes["recording_key"] = ""
            if DataToDelete.INPUTS in kinds:
                changes |= _BLANK_INPUTS
            if DataToDelete.RESULTS in kinds:
                changes |= _BLANK_RESULTS
            ModelRun.objects.filter(id=run.id).update(**changes)
            if not kinds.isdisjoint((DataToDelete.INPUTS, DataToDelete.RESULTS)):
                remove_notes_of_runs(run_ids=[run.id])  # a note holds the results, and says whose they are
        withdraw_exports([run.patient_id])
        trail.record("erased", organization_id=run.organization_id, run_id=run.id, reason=" ".join(sorted(kinds)))
        forget(run.organization_id, [run.id])
    return True


def remove_leftovers() -> dict[str, int]:
    """Runs never uploaded, recordings past their retention, and objects that no run names. How many of each."""
    return {
        "abandoned_runs": _remove_abandoned_runs(),
        "expired_recordings": _remove_expired_recordings(),
        "orphaned_objects": _remove_orphaned_objects(),
        "unfinished_writes": object_store().remove_unfinished(timezone.now() - LEFTOVER_AGE),
    }


def _remove_abandoned_runs() -> int:
    before = timezone.now() - timedelta(days=settings.HELIOS_ABANDONED_RUN_DAYS)
    with transaction.atomic():
        abandoned = list(
            ModelRun.objects.select_for_update(skip_locked=True)
            .filter(status=Status.CREATED, created_at__lt=before)
            .only("id", "organization_id", "user_label", "patient_id")[:BATCH]
        )
        remove_runs([run.id for run in abandoned])
        withdraw_exports(run.patient_id for run in abandoned)
        for run in abandoned:
            trail.record("abandoned", organization_id=run.organization_id, run_id=run.id)
            announcing.deleted(run)
            forget(run.organization_id, [run.id])
    return len(abandoned)


def _remove_expired_recordings() -> int:
    if not settings.HELIOS_RECORDING_RETENTION_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.HELIOS_RECORDING_RETENTION_DAYS)
    expired = ModelRun.objects.filter(completed_at__lt=before).exclude(recording_key="")
    removed = 0
    for run in expired.only("id", "organization_id", "recording_key", "patient_id")[:BATCH]:
        object_store().delete(run.recording_key)
        with transaction.atomic():
            removed += ModelRun.objects.filter(id=run.id).update(recording_key="")
            withdraw_exports([run.patient_id])
            trail.record("recording_expired", organization_id=run.organization_id, run_id=run.id)
    return removed


def _remove_orphaned_objects() -> int:
    removed = 0
    keys = filter(_may_be_ours, object_store().keys_before(timezone.now() - LEFTOVER_AGE))
    while some := list(islice(keys, BATCH)):
        of_runs = {run_of_recording(key) for key in some if key.split("/")[1] not in _NOT_OF_RUNS}
        runs = ModelRun.objects.filter(id__in=of_runs)  # the primary key is indexed
        named = set(runs.values_list("recording_key", flat=True)) | archives_in_use(some) | files_in_use(some)
        for key in some:
            if key not in named:
                object_store().delete(key)
                removed += 1
    return removed


def _may_be_ours(key: str) -> bool:
    """Whether a key has the form of ours: what else lies in the folder or the bucket is somebody else's."""
    organization, *of_what = key.split("/")
    named = parse_uuid(organization) is not None and len(of_what) > 1
    return named and (of_what[0] in _NOT_OF_RUNS or parse_uuid(of_what[0]) is not None)

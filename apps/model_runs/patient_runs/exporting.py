"""The archive of a person: one ZIP file with all that is kept of a patient and of its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import structlog
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.model_runs.models import ModelRun
from apps.model_runs.patient_runs.erasure import has_runs
from apps.model_runs.record_rows import (
    OF_PATIENTS,
    README_OF_PATIENTS,
    RUN_FIELDS,
    add_records,
    as_text,
    patient_rows,
)
from apps.model_runs.zip_archive import ROWS_AT_ONCE, ZipArchive, in_pieces
from apps.patients.models import Patient
from apps.patients.services import begin_export, finish_export, give_up_try, new_export_key
from helios_site.alone import alone
from helios_site.storage import StorageFull, object_store

log = structlog.get_logger(__name__)

# What happened, and not who did it from where: that is other people's data.
_EVENT_FIELDS = ("at", "action", "object_type", "object_id", "actor_type", "outcome")
_RUN_FIELDS = tuple(name for name in RUN_FIELDS if name != "created_by_key_id")
_README = """\
What {name} keeps of one person on Helios, as of {now:%Y-%m-%d %H:%M} UTC.

patient.json          the person
{of_patients}\
runs.ndjson           a voice check a line: what was sent, and what came of it
recordings/ID         the recording of the check with that id, byte for byte as it was uploaded
audit-events.ndjson   when somebody read or changed it, and what was done
"""


def export_person(*, export_id: UUID) -> bool:
    """Make an archive that was asked for; False when it is not pending, while another worker makes it, or when it
    cannot be written now. One that cannot be written whole is not kept."""
    with alone(f"patient export {export_id}") as is_alone:
        export = begin_export(export_id=export_id) if is_alone else None
        if export is None:
            return False
        key = new_export_key(export)
        finished = False
        try:
            with object_store().writer(key) as writer:
                write_person_archive(export.patient, writer.write)
                writer.commit()
            # Looked at last: a run that was read and is unlinked or gone by now has made the archive outdated.
            holds_runs = has_runs(export.organization_id, export.patient_id)
            finished = finish_export(export_id=export_id, key=key, holds_runs=holds_runs)
        except StorageFull:
            log.error("storage_full", export_id=str(export_id))
        finally:
            if not finished:
                give_up_try(export_id=export_id)
                object_store().delete(key)
    return finished


def write_person_archive(patient: Patient, write: Callable[[bytes], object]) -> None:
    """Give the archive to `write` piece by piece."""
    runs = ModelRun.objects.visible_to(patient.organization_id).filter(patient_id=patient.pk).order_by("created_at")
    about = _README.format(name=patient.organization.name, now=timezone.now(), of_patients=README_OF_PATIENTS)
    with ZipArchive(write) as archive:
        archive.add("README.txt", [about.encode()])
        archive.add_json("patient.json", next(patient_rows(Patient.objects.filter(pk=patient.pk)), None))
        add_records(archive, lambda: [[patient.pk]])
        archive.add_lines("runs.ndjson", as_text(in_pieces(runs.values(*_RUN_FIELDS))))
        stored = runs.exclude(recording_key="").values_list("id", "recording_key")
        for run_id, key in in_pieces(stored):
            archive.add_object(f"recordings/{run_id}", key)
        archive.add_lines("audit-events.ndjson", _events(patient, runs))


def _events(patient: Patient, runs: Any) -> Iterator[dict[str, Any]]:
    """What happened to the patient, then to what is kept of it and to its runs, each in the order of time."""
    objects: list[tuple[str, list[Any]]] = [("patient", [patient.pk])]
    for _, model, _ in OF_PATIENTS:
        ids = list(model.objects.filter(patient_id=patient.pk).values_list("pk", flat=True))
        objects.append((model._meta.model_name, ids))
    objects.append(("model_run", list(runs.values_list("id", flat=True))))
    for kind, ids in objects:
        for start in range(0, len(ids), ROWS_AT_ONCE):
            some = [str(pk) for pk in ids[start : start + ROWS_AT_ONCE]]
            events = AuditEvent.objects.filter(object_type=kind, object_id__in=some)
            of_it = events.filter(organization_id=patient.organization_id).order_by("id")
            yield from in_pieces(of_it.values(*_EVENT_FIELDS))

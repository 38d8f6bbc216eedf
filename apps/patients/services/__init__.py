"""Every write of patients."""

from __future__ import annotations

from apps.patients.services.clinical_notes import change_note, create_note, delete_note, restore_note
from apps.patients.services.counting import compact_counts
from apps.patients.services.erasure import Gone, erase_patient, erase_patients, hold_patient
from apps.patients.services.exports import (
    EXPORT,
    begin_export,
    finish_export,
    give_up_try,
    look_after_exports,
    new_export_key,
    record_export,
    request_export,
    withdraw_exports,
)
from apps.patients.services.links import (
    ConsentMissing,
    NoSuchPatient,
    lock_for_new_link,
    lock_linked,
)
from apps.patients.services.notes import remove_notes_of_runs, write_note_of_run
from apps.patients.services.patients import (
    change_patient,
    create_patient,
    delete_patient,
    record_read,
    restore_patient,
)
from apps.patients.services.purging import purge_deleted
from apps.patients.services.records import ExternalIdTaken

__all__ = [
    "EXPORT",
    "ConsentMissing",
    "ExternalIdTaken",
    "Gone",
    "NoSuchPatient",
    "begin_export",
    "change_note",
    "change_patient",
    "compact_counts",
    "create_note",
    "create_patient",
    "delete_note",
    "delete_patient",
    "erase_patient",
    "erase_patients",
    "finish_export",
    "give_up_try",
    "hold_patient",
    "lock_for_new_link",
    "lock_linked",
    "look_after_exports",
    "new_export_key",
    "purge_deleted",
    "record_export",
    "record_read",
    "remove_notes_of_runs",
    "request_export",
    "restore_note",
    "restore_patient",
    "withdraw_exports",
    "write_note_of_run",
]

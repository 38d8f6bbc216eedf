"""The records of patients and runs as the lines of an archive. What was deleted is in none: a document may have been
deleted because it is another person's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from apps.model_runs.zip_archive import ROWS_AT_ONCE, ZipArchive, in_pieces
from apps.patients.models import Appointment, Document, Note, Patient, Session

RUN_FIELDS = (
    "id", "status", "created_at", "run_at", "completed_at", "created_by_key_id", "patient_id", "rerun_of",
    "user_label", "date_of_birth", "birth_sex", "language", "accent", "sleep_time", "wake_time", "recording_time",
    "tags", "delete_data", "data_to_delete", "erased_at", "consent_version", "consented_at", "return_url",
    "recording_sha256", "recording_bytes", "error_code", "error_reason", "warnings", "transcript", "scores",
    "duration_seconds", "speech_seconds", "quality", "confidence", "evidence", "explanation", "safety",
    "outline", "model_version",
)  # fmt: skip
PATIENT_FIELDS = (
    "id", "external_id", "created_at", "updated_at", "name", "pronouns", "notes", "consent", "consent_changed_at",
    "first_name", "last_name", "date_of_birth", "gender", "email", "phone", "mrn", "client_history",
)  # fmt: skip
APPOINTMENT_FIELDS = (
    "id", "patient_id", "external_id", "created_at", "updated_at", "appointment_type", "visit_type", "start_at",
    "duration_minutes", "notes", "status", "repeat_rule",
)  # fmt: skip
DOCUMENT_FIELDS = (
    "id", "patient_id", "external_id", "created_at", "filename", "file_type", "file_size", "sha256", "status",
    "status_reason",
)  # fmt: skip
SESSION_FIELDS = (
    "id", "patient_id", "title", "status", "session_date", "start_time", "end_time", "text", "summary", "created_at",
    "model_run_id",
)  # fmt: skip
NOTE_FIELDS = (
    "id", "patient_id", "session_id", "created_at", "updated_at", "note_type", "specialty", "template_id",
    "template_name", "content", "problems", "procedures", "icd10_codes", "cpt_codes",
)  # fmt: skip
OF_PATIENTS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("appointments", Appointment, APPOINTMENT_FIELDS),
    ("documents", Document, DOCUMENT_FIELDS),
    ("sessions", Session, SESSION_FIELDS),
    ("notes", Note, NOTE_FIELDS),
)
README_OF_PATIENTS = """\
appointments.ndjson   an appointment a line
documents.ndjson      a document a line
documents/ID.TYPE     the file of the document with that id, byte for byte as it was uploaded
sessions.ndjson       a session a line, with what was said in it
notes.ndjson          a clinical note a line, with the id of its session
"""


def patient_ids(organization_id: UUID) -> Iterator[list[int]]:
    """The organisation's patients, some at a time."""
    patients = Patient.objects.of(organization_id).order_by("created_at", "id")
    some: list[int] = []
    for patient_id in in_pieces(patients.values_list("id", flat=True)):
        some.append(patient_id)
        if len(some) == ROWS_AT_ONCE:
            yield some
            some = []
    yield some


def patient_rows(patients: Any) -> Iterator[dict[str, Any]]:
    return as_text(in_pieces(patients.values(*PATIENT_FIELDS)))


def add_records(archive: ZipArchive, ids: Callable[[], Iterable[list[int]]]) -> int:
    """Write what is kept of the patients whose `ids` come some at a time; how many documents were copied."""
    for name, model, fields in OF_PATIENTS:
        archive.add_lines(f"{name}.ndjson", (row for some in ids() for row in _rows(model, some, fields)))
    return sum(
        archive.add_object(f"documents/{row['id']}.{row['file_type']}", row["storage_key"])
        for some in ids()
        for row in _rows(Document, some, ("id", "file_type", "storage_key"))
    )


def as_text(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """With the ids of patients as texts: many readers of JSON do not keep so large a number exactly."""
    for row in rows:
        for name in ("id", "patient_id"):
            if isinstance(row.get(name), int):
                row[name] = str(row[name])
        yield row


def _rows(model: Any, some: list[int], fields: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    rows = model.objects.filter(patient_id__in=some).order_by("patient_id", "id")
    live = Note.objects.filter(session=OuterRef("pk"), deleted_at__isnull=True)
    # A session is not deleted by itself: it goes with its notes.
    rows = rows.filter(Exists(live)) if model is Session else rows.filter(deleted_at__isnull=True)
    return as_text(in_pieces(rows.values(*fields)))

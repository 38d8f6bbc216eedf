"""Notes that come of finished runs. Runs are above patients: they are named by their ids alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from apps.patients.models import Note, Patient, Session
from apps.patients.services import trail

WELLNESS_CHECK = "wellness_check"

# One statement, as it is part of every deletion of a run, and most runs have none.
_REMOVE = """
WITH gone AS (SELECT id FROM patients_session WHERE model_run_id = ANY(%s::uuid[])),
    notes AS (DELETE FROM patients_note WHERE session_id IN (SELECT id FROM gone))
DELETE FROM patients_session WHERE id IN (SELECT id FROM gone)
"""


def write_note_of_run(
    *,
    patient: Patient,
    run_id: UUID,
    title: str,
    session_date: date,
    start_time: datetime,
    end_time: datetime,
    transcript: str,
    content: str,
) -> None:
    """A session and its one note, in the transaction that ends the run and that holds the patient's row."""
    session = Session.objects.create(
        organization_id=patient.organization_id,
        patient=patient,
        title=title,
        session_date=session_date,
        start_time=start_time,
        end_time=end_time,
        text=transcript,
        model_run_id=run_id,
    )
    note = Note.objects.create(
        organization_id=patient.organization_id,
        patient=patient,
        session=session,
        note_type=WELLNESS_CHECK,
        content=content,
    )
    trail.record(
        "note", "created", organization_id=patient.organization_id, object_id=note.pk, reason=f"model run {run_id}"
    )


def remove_notes_of_runs(*, run_ids: Iterable[UUID]) -> None:
    """Remove what came of these runs, in the transaction that removes them, or what was said in them."""
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [list(run_ids)])

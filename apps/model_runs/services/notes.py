"""The session and the note that a finished run leaves in the record of its patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings

from apps.accounts.models import Organization
from apps.model_runs.models import ModelRun
from apps.model_runs.recording_times import recorded_at
from apps.model_runs.summary import summary
from apps.patients import services as patients

TITLE = "Voice wellness check"


def wants_notes(organization: Organization) -> bool:
    own = organization.notes_from_runs
    return bool(settings.HEALOS_NOTES_FROM_RUNS if own is None else own)


def write(run: ModelRun, patient_id: int, outcome: Mapping[str, Any]) -> None:
    """For a run that ends well with `outcome`, if the organisation wants notes and the patient is still there."""
    patient = patients.lock_linked(organization_id=run.organization_id, patient_id=patient_id)
    if patient is None or not wants_notes(patient.organization):
        return
    assert run.run_at is not None
    length = timedelta(seconds=outcome["duration_seconds"] or 0)
    # It was whole when the run began, at the latest.
    start = recorded_at(run.recording_time, run.run_at - length)
    patients.write_note_of_run(
        patient=patient,
        run_id=run.id,
        title=TITLE,
        session_date=start.astimezone(settings.HEALOS_DAY_TIMEZONE).date(),
        start_time=start,
        end_time=start + length,
        transcript=outcome["transcript"],
        content=summary(
            birth_sex=run.birth_sex,
            scores=outcome["scores"],
            duration_seconds=outcome["duration_seconds"],
            speech_seconds=outcome["speech_seconds"],
            quality=outcome["quality"],
            warnings=outcome["warnings"],
            safety=outcome["safety"],
        ),
    )

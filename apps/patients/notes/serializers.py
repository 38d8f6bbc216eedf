"""Notes, sessions, and what notes show of a patient, in JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from apps.patients.models import Note, Patient, Session
from helios_site.api.families.healos.fields import timestamp

TRANSCRIPT, PATIENT = PARTS = ("transcript", "patient")  # of a whole note, by `include`
LIGHT_FIELDS = (
    "id", "patient_id", "session_id", "note_type", "specialty", "template_id", "template_name", "created_at",
    "updated_at",
)  # fmt: skip
OF_PATIENT = ("first_name", "last_name", "gender", "email", "phone", "mrn")


def light_note(row: Mapping[str, Any]) -> dict[str, Any]:
    """One of a list; `row` has LIGHT_FIELDS."""
    return {
        "id": str(row["id"]),
        "patient_id": str(row["patient_id"]),
        "session_id": str(row["session_id"]),
        "note_type": row["note_type"],
        "specialty": row["specialty"],
        "template_id": row["template_id"],
        "template_name": row["template_name"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def whole_note(note: Note, include: Collection[str]) -> dict[str, Any]:
    """With its session's transcript and its patient where these are included."""
    return light_note({name: getattr(note, name) for name in LIGHT_FIELDS}) | {
        "content": note.content,
        "problems": note.problems,
        "procedures": note.procedures,
        "icd10_codes": note.icd10_codes,
        "cpt_codes": note.cpt_codes,
        **({TRANSCRIPT: transcript(note.session)} if TRANSCRIPT in include else {}),
        **({PATIENT: patient_of_note(note.patient)} if PATIENT in include else {}),
    }


def transcript(session: Session) -> dict[str, Any]:
    return {
        "text": session.text,
        "summary": session.summary,
        "title": session.title,
        "status": session.status,
        "session_date": session.session_date.isoformat(),
        "start_time": timestamp(session.start_time),
        "end_time": timestamp(session.end_time),
    }


def session_body(session: Session, include: Collection[str]) -> dict[str, Any]:
    body = {"id": str(session.pk), "patient_id": str(session.patient_id)}
    return body | ({TRANSCRIPT: transcript(session)} if TRANSCRIPT in include else {})


def patient_of_note(patient: Patient) -> dict[str, Any]:
    """More of the person than the patient's own operations show."""
    history, born = patient.client_history, patient.date_of_birth
    return {
        "id": str(patient.pk),
        "name": patient.name,
        "pronouns": patient.pronouns,
        **{name: getattr(patient, name) for name in OF_PATIENT},
        "date_of_birth": None if born is None else born.isoformat(),
        "client_history": None if history is None else {name: history.get(name) for name in Patient.CLIENT_HISTORY},
    }

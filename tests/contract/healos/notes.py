"""Notes over the API, as tests make them: the API itself writes none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from apps.accounts.models import Organization
from apps.patients.models import Note, Patient, Session
from apps.patients.names import folded
from tests.contract.healos.calls import EXT

NOTES, EXPORT, SESSIONS = f"{EXT}/notes", f"{EXT}/notes/export", f"{EXT}/sessions"


def make_patient(organization: Organization, name: str = "Maria Santos", **fields: Any) -> Patient:
    return Patient.objects.create(organization=organization, name=name, search_name=folded(name), **fields)


def make_session(patient: Patient, **fields: Any) -> Session:
    given = {"session_date": date(2026, 3, 15), "text": "Good morning.", "title": "First visit"} | fields
    return Session.objects.create(organization=patient.organization, patient=patient, **given)


def make_note(session: Session, **fields: Any) -> Note:
    given = {"content": "Slept well."} | fields
    return Note.objects.create(organization=session.organization, patient=session.patient, session=session, **given)


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0, millisecond: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, millisecond * 1000, tzinfo=UTC)

"""Patients and what is kept of them: appointments, documents, clinical notes with their sessions."""

from __future__ import annotations

from apps.patients.models.appointments import Appointment
from apps.patients.models.counts import RecordCount
from apps.patients.models.documents import Document
from apps.patients.models.exports import PatientExport
from apps.patients.models.notes import Note, Session
from apps.patients.models.patients import Patient
from apps.patients.models.records import Record, RecordQuerySet, now_to_the_millisecond

__all__ = [
    "Appointment",
    "Document",
    "Note",
    "Patient",
    "PatientExport",
    "Record",
    "RecordCount",
    "RecordQuerySet",
    "Session",
    "now_to_the_millisecond",
]

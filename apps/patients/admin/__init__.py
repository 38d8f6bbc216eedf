"""Patients, and what is kept of them, in the staff's admin."""

from apps.patients.admin.appointments import AppointmentAdmin
from apps.patients.admin.documents import DocumentAdmin
from apps.patients.admin.notes import NoteAdmin
from apps.patients.admin.patients import PatientAdmin

__all__ = ["AppointmentAdmin", "DocumentAdmin", "NoteAdmin", "PatientAdmin"]

"""The paths of the pages of a patient's appointments, documents and notes, and of the appointments of all patients."""

from __future__ import annotations

from django.urls import path

from apps.patients.pages import agenda, appointment_form, appointments, documents, notes

_PATIENT = "patients/<int:patient_id>"
_APPOINTMENT = f"{_PATIENT}/appointments/<uuid:appointment_id>"
_DOCUMENT = f"{_PATIENT}/documents/<uuid:document_id>"

urlpatterns = [
    path("appointments", agenda.agenda, name="appointments"),
    path(f"{_PATIENT}/appointments", appointments.appointment_list, name="patient-appointments"),
    path(f"{_PATIENT}/appointments/new", appointment_form.new, name="patient-appointment-new"),
    path(_APPOINTMENT, appointment_form.change, name="patient-appointment"),
    path(f"{_APPOINTMENT}/cancel", appointments.cancel, name="patient-appointment-cancel"),
    path(f"{_APPOINTMENT}/delete", appointments.delete, name="patient-appointment-delete"),
    path(f"{_APPOINTMENT}/restore", appointments.restore, name="patient-appointment-restore"),
    path(f"{_PATIENT}/documents", documents.documents, name="patient-documents"),
    path(f"{_PATIENT}/documents/status", documents.statuses, name="patient-document-statuses"),
    path(f"{_DOCUMENT}/file", documents.file, name="patient-document-file"),
    path(f"{_DOCUMENT}/delete", documents.delete, name="patient-document-delete"),
    path(f"{_DOCUMENT}/restore", documents.restore, name="patient-document-restore"),
    path(f"{_PATIENT}/notes", notes.note_list, name="patient-notes"),
    path(f"{_PATIENT}/notes/<uuid:note_id>", notes.note_page, name="patient-note"),
]

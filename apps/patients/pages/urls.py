"""The paths of the pages of patients, but for those that join a patient with its runs."""

from __future__ import annotations

from django.urls import path

from apps.patients.pages import editing, lists

urlpatterns = [
    path("patients", lists.patient_list, name="patients"),
    path("patients/deleted", lists.deleted_list, name="patients-deleted"),
    path("patients/new", editing.new, name="patient-new"),
    path("patients/<int:patient_id>/edit", editing.edit, name="patient-edit"),
    path("patients/<int:patient_id>/delete", editing.delete, name="patient-delete"),
    path("patients/<int:patient_id>/restore", lists.restore, name="patient-restore"),
]

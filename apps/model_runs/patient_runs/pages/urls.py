"""The paths of the pages that join a patient with its runs."""

from __future__ import annotations

from django.urls import path

from apps.model_runs.patient_runs.pages import consent, leaving, overview

urlpatterns = [
    path("patients/<int:patient_id>", overview.patient_page, name="patient"),
    path("patients/<int:patient_id>/consent", consent.note_consent, name="patient-consent"),
    path("patients/<int:patient_id>/archives", leaving.archives, name="patient-archives"),
    path("patients/<int:patient_id>/archives/<uuid:export_id>", leaving.archive, name="patient-archive"),
    path("patients/<int:patient_id>/erase", leaving.erase, name="patient-erase"),
]

"""The paths under `/ext-api/v1/` that join a patient with its runs."""

from __future__ import annotations

from apps.model_runs.patient_runs.person_viewsets import ErasureViewSet, PatientExportViewSet
from apps.model_runs.patient_runs.viewsets import PatientRunViewSet, WellnessViewSet
from helios_site.api.families.routes import either

urlpatterns = [
    *either("patients/<str:patient_id>/erase", ErasureViewSet.as_view({"post": "create"})),
    *either("patients/<str:patient_id>/export", PatientExportViewSet.as_view({"post": "create"})),
    *either("patients/<str:patient_id>/exports/<str:export_id>", PatientExportViewSet.as_view({"get": "retrieve"})),
    *either("patients/<str:patient_id>/model-runs", PatientRunViewSet.as_view({"get": "list"})),
    *either("patients/<str:patient_id>/wellness", WellnessViewSet.as_view({"get": "retrieve"})),
]

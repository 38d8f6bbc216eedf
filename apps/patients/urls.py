"""The paths of patients and appointments under `/ext-api/v1/`."""

from __future__ import annotations

from typing import Any

from apps.patients.appointments.viewsets import AppointmentViewSet
from apps.patients.documents.viewsets import DocumentViewSet
from apps.patients.notes import urls as notes
from apps.patients.transfer import urls as transfer
from apps.patients.viewsets import PatientViewSet
from helios_site.api.families.routes import either

_ONE: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
_DOCUMENTS = "patients/<str:patient_id>/documents"

urlpatterns = [
    *either("patients", PatientViewSet.as_view({"get": "list", "post": "create"})),
    *either("patients/<str:patient_id>", PatientViewSet.as_view(_ONE)),
    *either("patients/<str:patient_id>/restore", PatientViewSet.as_view({"post": "restore"})),
    *notes.urlpatterns,
    *either("appointments", AppointmentViewSet.as_view({"get": "list", "post": "create"})),
    *either("appointments/<str:appointment_id>", AppointmentViewSet.as_view(_ONE)),
    *either("appointments/<str:appointment_id>/restore", AppointmentViewSet.as_view({"post": "restore"})),
    *either(_DOCUMENTS, DocumentViewSet.as_view({"get": "list", "post": "create"})),
    *either(f"{_DOCUMENTS}/<str:document_id>", DocumentViewSet.as_view({"delete": "destroy"})),
    *either(f"{_DOCUMENTS}/<str:document_id>/restore", DocumentViewSet.as_view({"post": "restore"})),
    *transfer.urlpatterns,
]

"""The paths under `/fhir/`."""

from __future__ import annotations

from typing import Any

from apps.fhir.viewsets import (
    AppointmentViewSet,
    CodeSystemViewSet,
    DocumentReferenceViewSet,
    MetadataViewSet,
    ObservationViewSet,
    PatientViewSet,
)
from helios_site.api.families.routes import either

_READ: dict[str, Any] = {"get": "retrieve"}

urlpatterns = [
    *either("metadata", MetadataViewSet.as_view(_READ)),
    *either("CodeSystem/<str:resource_id>", CodeSystemViewSet.as_view(_READ)),
    *either("Patient/<str:resource_id>", PatientViewSet.as_view(_READ)),
    *either("Appointment/<str:resource_id>", AppointmentViewSet.as_view(_READ)),
    *either("DocumentReference/<str:resource_id>", DocumentReferenceViewSet.as_view(_READ)),
    *either("Observation", ObservationViewSet.as_view({"get": "search"})),
    *either("Observation/<str:resource_id>", ObservationViewSet.as_view(_READ)),
]

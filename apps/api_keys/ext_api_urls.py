"""The paths of keys and of the audit trail under `/ext-api/v1/`."""

from __future__ import annotations

from apps.api_keys.audit_events.viewsets import AuditEventViewSet, AuditExportViewSet
from apps.api_keys.viewsets import OwnKeyViewSet
from helios_site.api.families.routes import either

urlpatterns = [
    *either("key", OwnKeyViewSet.as_view({"get": "retrieve"})),
    *either("audit-events", AuditEventViewSet.as_view({"get": "list"})),
    *either("audit-events/export", AuditExportViewSet.as_view({"get": "list"})),
]

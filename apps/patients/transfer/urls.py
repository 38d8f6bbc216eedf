"""The paths of exports and imports under `/ext-api/v1/`."""

from __future__ import annotations

from apps.patients.transfer.viewsets import ExportViewSet, ImportViewSet
from helios_site.api.families.routes import either

urlpatterns = [
    *either("export", ExportViewSet.as_view({"get": "list"})),
    *either("import", ImportViewSet.as_view({"post": "create"})),
]

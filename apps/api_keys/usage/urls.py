"""The path of usage under `/v1/`."""

from __future__ import annotations

from apps.api_keys.usage.viewsets import UsageViewSet
from helios_site.api.families.routes import either

urlpatterns = either("usage", UsageViewSet.as_view({"get": "retrieve"}))

"""The paths of keys under `/api/v1/`."""

from __future__ import annotations

from apps.api_keys.leak_views import GithubScanView, LeakReportView
from apps.api_keys.viewsets import ApiKeyViewSet
from helios_site.api.families.routes import either

KEYS = "ext-api-keys"

urlpatterns = [
    *either(KEYS, ApiKeyViewSet.as_view({"get": "list", "post": "create"})),
    *either(f"{KEYS}/report-leak", LeakReportView.as_view()),
    *either("secret-scanning/github", GithubScanView.as_view()),
    *either(
        f"{KEYS}/<str:key_id>",
        ApiKeyViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    *either(f"{KEYS}/<str:key_id>/rotate", ApiKeyViewSet.as_view({"post": "rotate"})),
]

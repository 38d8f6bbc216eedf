from __future__ import annotations

from django.urls import path

from helios_site.api import docs

urlpatterns = [
    path("openapi.json", docs.openapi, name="openapi"),
    path("api-reference", docs.api_reference, name="api-reference"),
    path("api-reference/<str:name>", docs.asset, name="api-reference-asset"),
]

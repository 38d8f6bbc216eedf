from __future__ import annotations

from django.urls import path

from helios_site.documentation import views

urlpatterns = [
    path("docs", views.index, name="docs"),
    path("docs/<slug:page>", views.document, name="docs-page"),
    path("docs/<path:file>", views.attachment, name="docs-file"),
]

"""The paths under `/ext-api/v1/` that join a patient with its runs."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

"""The paths of the pages of keys."""

from __future__ import annotations

from django.urls import path

from apps.api_keys.pages import ending, views

urlpatterns = [
    path("keys", views.key_list, name="keys"),
    path("keys/new", views.new_key, name="key-new"),
    path("keys/<uuid:key_id>", views.key_page, name="key"),
    path("keys/<uuid:key_id>/rotate", ending.rotate, name="key-rotate"),
    path("keys/<uuid:key_id>/revoke", ending.revoke, name="key-revoke"),
]

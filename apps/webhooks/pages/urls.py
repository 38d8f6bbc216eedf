"""The paths of the pages of webhooks."""

from __future__ import annotations

from django.urls import path

from apps.webhooks.pages import acts, views

_ONE = "webhooks/<uuid:webhook_id>"

urlpatterns = [
    path("webhooks", views.webhook_list, name="webhooks"),
    path("webhooks/new", acts.new, name="webhook-new"),
    path(_ONE, views.webhook, name="webhook"),
    path(f"{_ONE}/deliveries", views.outcomes, name="webhook-outcomes"),
    path(f"{_ONE}/deliveries/<uuid:delivery_id>/resend", acts.resend, name="webhook-resend"),
    path(f"{_ONE}/test", acts.test, name="webhook-test"),
    path(f"{_ONE}/enable", acts.enable, name="webhook-enable"),
    path(f"{_ONE}/disable", acts.disable, name="webhook-disable"),
    path(f"{_ONE}/rotate", acts.rotate, name="webhook-rotate"),
    path(f"{_ONE}/delete", acts.delete, name="webhook-delete"),
]

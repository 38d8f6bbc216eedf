"""The paths of webhooks under `/v1/`."""

from __future__ import annotations

from typing import Any

from apps.webhooks.viewsets import (
    WebhookDeliveryViewSet,
    WebhookEnablingViewSet,
    WebhookResendViewSet,
    WebhookRotationViewSet,
    WebhookTestViewSet,
    WebhookViewSet,
)
from helios_site.api.families.routes import either

ONE = "webhooks/<str:webhook_id>"
CREATE: dict[str, Any] = {"post": "create"}

urlpatterns = [
    *either("webhooks", WebhookViewSet.as_view({"get": "list", **CREATE})),
    *either(ONE, WebhookViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    *either(f"{ONE}/rotate", WebhookRotationViewSet.as_view(CREATE)),
    *either(f"{ONE}/enable", WebhookEnablingViewSet.as_view(CREATE)),
    *either(f"{ONE}/test", WebhookTestViewSet.as_view(CREATE)),
    *either(f"{ONE}/deliveries", WebhookDeliveryViewSet.as_view({"get": "list"})),
    *either(f"{ONE}/deliveries/<str:delivery_id>/resend", WebhookResendViewSet.as_view(CREATE)),
]

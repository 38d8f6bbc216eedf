from __future__ import annotations

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "apps.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        from apps.webhooks.services import emit, follow_organization
        from helios_site.api.events import listen

        listen(emit)
        listen(follow_organization)

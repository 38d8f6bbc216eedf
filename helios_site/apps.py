from __future__ import annotations

from django.apps import AppConfig


class HeliosSiteConfig(AppConfig):
    name = "helios_site"

    def ready(self) -> None:
        # Importing the Celery application makes it the default one, so that tasks find their broker.
        from helios_site import celery  # noqa: F401

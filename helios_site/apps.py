from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class HeliosSiteConfig(AppConfig):
    name = "helios_site"

    def ready(self) -> None:
        # Importing the Celery application makes it the default one, so that tasks find their broker.
        from helios_site import celery  # noqa: F401


class StaffAdminConfig(admin.AdminConfig):
    default = False
    default_site = "apps.accounts.staff_site.StaffSite"

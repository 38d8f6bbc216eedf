"""`manage.py list_wellness_models`: the models of this installation and who uses them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.model_runs.selectors import models_with_organizations
from apps.model_runs.wellness.model import shipped


class Command(BaseCommand):
    help = "List the wellness models with their SHA-256, and the organisations that use each."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"{shipped().version}  shipped  every organisation that is not named below")
        for model in models_with_organizations():
            self.stdout.write(f"{model}  {model.sha256}  {', '.join(model.used_by) or 'not in use'}")
        if settings.HELIOS_MODEL_VERSION:
            self.stdout.write(f"HELIOS_MODEL_VERSION pins {settings.HELIOS_MODEL_VERSION} for every organisation.")

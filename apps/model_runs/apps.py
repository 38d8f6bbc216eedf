from __future__ import annotations

from django.apps import AppConfig


class ModelRunsConfig(AppConfig):
    name = "apps.model_runs"
    label = "model_runs"
    verbose_name = "Model runs"

    def ready(self) -> None:
        from apps.model_runs import checks  # noqa: F401 - registers them

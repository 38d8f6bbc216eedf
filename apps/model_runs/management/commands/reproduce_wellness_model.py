"""`manage.py reproduce_wellness_model`: trains the shipped weights again from the raw recordings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.model_runs.wellness.heads import WEIGHTS_PATH


class Command(BaseCommand):
    help = "Train the voice heads from HELIOS_TRAINING_DATA and write their weights; prints the held-out figures."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, default=WEIGHTS_PATH, help="where the weights go")
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that measure features")

    def handle(self, *args: Any, **options: Any) -> None:
        # More threads would add up in another order, and the weights would differ in their last digits.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        from apps.model_runs.wellness.training import reproduce
        from apps.model_runs.wellness.training.corpus import TrainingDataMissing

        try:
            model = reproduce.reproduce(settings.HELIOS_TRAINING_DATA, options["jobs"], self._progress)
        except TrainingDataMissing as error:
            raise CommandError(str(error)) from error
        reproduce.write_weights(model, options["output"])
        self.stdout.write(reproduce.report(model.figures))
        self.stdout.write(f"Wrote model {model.version} to {options['output']}.")

    def _progress(self, done: int, total: int) -> None:
        if done % 500 == 0 or done == total:
            self.stderr.write(f"{done} of {total} units measured")

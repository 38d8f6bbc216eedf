"""`manage.py reproduce_wellness_model`: trains the shipped weights again from the raw recordings."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.model_runs.wellness.heads import WEIGHTS_PATH

LARGEST_DIFFERENCE = 1e-3  # 0 where the processor is of the same family


class Command(BaseCommand):
    help = "Train the voice heads from HELIOS_TRAINING_DATA and write their weights; prints the held-out figures."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, default=WEIGHTS_PATH, help="where the weights go")
        parser.add_argument("--compare", type=Path, help="weights that must come out again, within 1e-3")
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

        if options["compare"]:
            self._compare(options["compare"], options["output"], reproduce.largest_difference)

    def _compare(self, expected: Path, made: Path, difference: Callable[[Any, Any], float]) -> None:
        largest = difference(json.loads(expected.read_text()), json.loads(made.read_text()))
        if largest > LARGEST_DIFFERENCE:
            raise CommandError(
                f"{made} differs from {expected} by {largest:.3g}; at most {LARGEST_DIFFERENCE:g} may be."
            )
        self.stdout.write(f"The weights of {expected} are reproduced; the largest difference is {largest:.3g}.")

    def _progress(self, done: int, total: int) -> None:
        if done % 500 == 0 or done == total:
            self.stderr.write(f"{done} of {total} units measured")

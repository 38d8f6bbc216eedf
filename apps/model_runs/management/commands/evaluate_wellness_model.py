"""`manage.py evaluate_wellness_model`: what a model is worth, on labelled recordings or on the training data."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = (
        "Print what the finished scores of a model are worth on labelled recordings (DATA.csv as for "
        "train_wellness_model), or without a file every figure of the shipped model's card from HELIOS_TRAINING_DATA. "
        "Needs no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("data", type=Path, nargs="?", metavar="DATA.csv")
        parser.add_argument("--model-file", type=Path, metavar="MODEL.json", help="default: the shipped model")
        parser.add_argument(
            "--positive-from", type=float, metavar="X", help="a score of X and more is positive; default: 1, 0 is not"
        )
        parser.add_argument("--language", default="en-GB", help="of the recordings of DATA.csv")
        parser.add_argument("--output", type=Path, metavar="FILE", help="writes the figures as JSON, too")
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that score recordings")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["jobs"] < 1:
            raise CommandError("--jobs is at least 1.")
        if options["data"] is None and options["model_file"] is not None:
            raise CommandError("--model-file needs DATA.csv; without it the shipped model is judged.")
        figures = self._of_shipped(options) if options["data"] is None else self._of_recordings(options)
        if options["output"]:
            try:
                options["output"].write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{options['output']}: {error.strerror}") from error

    def _of_shipped(self, options: dict[str, Any]) -> dict[str, Any]:
        from apps.model_runs.wellness.training import reproduce
        from apps.model_runs.wellness.training.corpus import TrainingDataMissing

        try:
            figures = reproduce.evaluate_shipped(
                settings.HELIOS_TRAINING_DATA,
                options["jobs"],
                lambda done, of: self._progress("units measured", done, of, 500),
            )
        except TrainingDataMissing as error:
            raise CommandError(str(error)) from error
        self.stdout.write(reproduce.report(figures))
        return figures

    def _of_recordings(self, options: dict[str, Any]) -> dict[str, Any]:
        from apps.model_runs.execution import limits
        from apps.model_runs.wellness.interface import Person
        from apps.model_runs.wellness.training.customer_data import BadData, read_sheet
        from apps.model_runs.wellness.training.customer_measure import Task, load_model, measure_sheet
        from apps.model_runs.wellness.training.customer_report import report
        from apps.model_runs.wellness.training.customer_train import NothingToCompare, judge

        data, file = options["data"], options["model_file"]
        try:
            model = load_model(file)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise CommandError(f"{file} is no model of this release: {error}") from error
        try:
            sheet = read_sheet(data, options["positive_from"])
            bounds = limits()
            tasks = {
                row.path: Task(row.path, bounds, row.text, Person(row.sex, row.birth_date, options["language"]))
                for row in sheet.rows
            }
            by_target = measure_sheet(
                sheet, tasks, options["jobs"], lambda done, of: self._progress("recordings scored", done, of, 50), file
            )
            targets = {target: judge(target, labelled) for target, labelled in by_target.items()}
        except (BadData, NothingToCompare) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{data}: {error.strerror}") from error
        for target, found in targets.items():
            self.stdout.write(report(target, found) + "\n")
        self.stdout.write(f"Finished scores of model {model.version}; people whom it was trained on would flatter it.")
        return {"version": model.version, "targets": targets}

    def _progress(self, what: str, done: int, total: int, every: int) -> None:
        if done % every == 0 or done == total:
            self.stderr.write(f"{what}: {done} of {total}")

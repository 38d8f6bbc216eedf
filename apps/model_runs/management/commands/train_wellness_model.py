"""`manage.py train_wellness_model DATA.csv`: a model from a customer's labelled recordings, and what it is worth."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Command(BaseCommand):
    help = (
        "Train heads of the wellness model on labelled recordings. DATA.csv has the columns path, speaker, target, "
        "score and may have sex, birth_date, text. Writes the model, its figures and a model card. Needs no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("data", type=Path, metavar="DATA.csv", help="the labels; paths count from its folder")
        parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="a new or empty folder")
        parser.add_argument("--model-version", required=True, metavar="NAME", help="what runs will call the model")
        parser.add_argument(
            "--positive-from", type=float, metavar="X", help="a score of X and more is positive; default: 1, 0 is not"
        )
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that measure recordings")

    def handle(self, *args: Any, **options: Any) -> None:
        from apps.model_runs.execution import limits
        from apps.model_runs.wellness.model import shipped
        from apps.model_runs.wellness.training.customer_card import folder_is_free, write_folder
        from apps.model_runs.wellness.training.customer_data import BadData, read_sheet
        from apps.model_runs.wellness.training.customer_measure import Task, measure_sheet
        from apps.model_runs.wellness.training.customer_report import report
        from apps.model_runs.wellness.training.customer_train import TooFew, check_counts, train

        data, output, version = options["data"], options["output"], options["model_version"]
        base = shipped()
        self._check_options(options, base.version)
        if not folder_is_free(output):
            raise CommandError(f"{output} is not empty; name a new folder.")
        try:
            sheet = read_sheet(data, options["positive_from"])
            if not sheet.problems:
                check_counts(sheet.rows)
            bounds = limits()
            tasks = {row.path: Task(row.path, bounds, row.text) for row in sheet.rows}
            by_target = measure_sheet(
                sheet, tasks, options["jobs"], lambda done, of: self._progress("recordings measured", done, of)
            )
        except (BadData, TooFew) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{data}: {error.strerror}") from error
        trained = train(by_target, base, version, self._progress)
        about = {
            "file": data.name,
            "sha256": hashlib.sha256(data.read_bytes()).hexdigest(),
            "positiveFrom": options["positive_from"],
            "base": base.version,
        }
        try:
            write_folder(output, trained, about)
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}") from error
        for target, found in trained.targets.items():
            self.stdout.write(report(target, found) + "\n")
        self.stdout.write(f"Wrote model {version} to {output}; read {output / 'card.md'} before it is used.")

    def _check_options(self, options: dict[str, Any], shipped_version: str) -> None:
        version = options["model_version"]
        if not _VERSION.fullmatch(version):
            raise CommandError("--model-version takes up to 64 letters, digits, dots, hyphens and underscores.")
        if version == shipped_version:
            raise CommandError(f"{version} is the version of the shipped model; take another --model-version.")
        if options["jobs"] < 1:
            raise CommandError("--jobs is at least 1.")

    def _progress(self, what: str, done: int, total: int) -> None:
        if done % 50 == 0 or done == total:
            self.stderr.write(f"{what}: {done} of {total}")

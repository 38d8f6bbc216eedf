"""`manage.py reproduce_wellness_model`: the shipped model again from the raw data, with its figures and its card."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

# Nothing that loads numpy may be imported here: see `handle`.

CARD = Path("docs/model-card.md")
# By which numbers may differ, relative above 1: 0 where the processor is of the same family. A figure counts
# recordings, of which a single one may change places where scores differ in their last digits.
LIMITS = {"voice.json": 1e-3, "words.json": 1e-3, "evaluation.json": 0.02}


class Command(BaseCommand):
    help = (
        "Train the shipped wellness model from HELIOS_TRAINING_DATA; write its weights, its figures (evaluation.json) "
        "and its card, and print the figures. Needs no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--output", type=Path, metavar="FOLDER", help="for weights and figures; default: where the product has them"
        )
        parser.add_argument(
            "--card", type=Path, metavar="PAGE", help=f"default: {CARD}, or model-card.md in the folder of --output"
        )
        parser.add_argument("--compare", type=Path, metavar="FOLDER", help="weights and figures that must come out")
        parser.add_argument(
            "--card-only", action="store_true", help="only write the card, from the figures in the folder of --output"
        )
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that measure features")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["jobs"] < 1:
            raise CommandError("--jobs is at least 1.")
        from apps.model_runs.wellness.training import reproduce
        from apps.model_runs.wellness.training.corpus import TrainingDataMissing

        output = options["output"] or reproduce.EVALUATION_PATH.parent
        page = options["card"] or (settings.BASE_DIR / CARD if options["output"] is None else output / CARD.name)
        if options["card_only"]:
            with _failing_in_one_line():
                reproduce.write_card(_read(output / reproduce.EVALUATION), page)
            self.stdout.write(f"Wrote the card to {page}.")
            return
        # Read before anything is written: it may be the same folder.
        expected = {name: _read(options["compare"] / name) for name in LIMITS} if options["compare"] else {}
        try:
            model, evaluation = reproduce.reproduce(settings.HELIOS_TRAINING_DATA, options["jobs"], self._progress)
        except TrainingDataMissing as error:
            raise CommandError(str(error)) from error
        with _failing_in_one_line():
            reproduce.write(model, evaluation, output)
            reproduce.write_card(evaluation, page)
        self.stdout.write(reproduce.report(evaluation))
        self.stdout.write(f"\nWrote model {model.version} to {output} and its card to {page}.")
        self.compare(expected, output)

    def compare(self, expected: Mapping[str, Any], made: Path) -> None:
        """Says how far what was `made` is from the `expected` contents of its files. CommandError if too far."""
        from apps.model_runs.wellness.training.reproduce import largest_difference

        different = []
        for name, content in expected.items():
            difference = largest_difference(content, _read(made / name))
            self.stdout.write(f"{name}: the largest difference is {difference:.3g}; at most {LIMITS[name]:g} may be.")
            if difference > LIMITS[name]:
                different.append(name)
        if different:
            raise CommandError(f"Not reproduced: {', '.join(different)}.")

    def _progress(self, done: int, total: int) -> None:
        if done % 500 == 0 or done == total:
            self.stderr.write(f"{done} of {total} units measured")


@contextmanager
def _failing_in_one_line() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from error


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"{path} is no JSON: {error}") from error

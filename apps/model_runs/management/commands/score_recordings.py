"""`manage.py score_recordings PATH...`: the worker's pipeline on files, without a database."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.model_runs.execution import limits
from apps.model_runs.model_files import ModelRefused, read_model_file
from apps.model_runs.wellness import pipeline
from apps.model_runs.wellness.interface import Analysis, Limits, Person
from apps.model_runs.wellness.model import WellnessModel, shipped

BIRTH_SEXES = ("MALE", "FEMALE", "INTERSEX", "UNKNOWN")


class Command(BaseCommand):
    help = "Score recordings as the worker would; prints one JSON object for each file. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a recording, or a folder of them")
        parser.add_argument("--jsonl", action="store_true", help="one line for each file")
        parser.add_argument("--birth-sex", choices=BIRTH_SEXES, default="UNKNOWN")
        parser.add_argument("--date-of-birth", type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--language", default="en-GB")
        parser.add_argument(
            "--min-speech-seconds", type=float, help="0 lets short clips through; default as in the settings"
        )
        parser.add_argument("--model-file", type=Path, metavar="MODEL.json", help="default: the shipped model")

    def handle(self, *args: Any, **options: Any) -> None:
        bounds = limits()
        if options["min_speech_seconds"] is not None:
            bounds = replace(bounds, min_speech_seconds=options["min_speech_seconds"])
        person = Person(options["birth_sex"], options["date_of_birth"], options["language"])
        try:
            model = read_model_file(options["model_file"]).model if options["model_file"] else shipped()
        except ModelRefused as error:
            raise CommandError(str(error)) from error
        pipeline.load_models()
        failed = 0
        for path in _files(options["paths"]):
            answer = self._score(path, person, bounds, model)
            failed += "error" in answer
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=None if options["jsonl"] else 2))
            self.stdout.flush()
        if failed:
            raise CommandError(f"{failed} of the files could not be read or scored.")

    def _score(self, path: Path, person: Person, bounds: Limits, model: WellnessModel) -> dict[str, Any]:
        try:
            return _answer(path, pipeline.analyse(path, person, bounds, model=model))
        except OSError as error:
            return {"file": str(path), "error": error.strerror or str(error)}
        except Exception as error:
            # One fault of ours must not cost the rest of a long list; it is shown in full beside the answers.
            self.stderr.write(traceback.format_exc())
            return {"file": str(path), "error": f"{type(error).__name__}: {error}"}


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Files as named; a folder gives every file in it, at any depth, in order of name, hidden ones left out."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = (inner for inner in path.rglob("*") if inner.is_file())
        yield from sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(path).parts))


def _answer(path: Path, analysis: Analysis) -> dict[str, Any]:
    quality = analysis.quality
    return {
        "file": str(path),
        "status": "COMPLETE_OK" if analysis.ok else "COMPLETE_ERROR",
        "errorCode": analysis.error_code,
        "speechSeconds": _seconds(analysis.speech_seconds),
        "durationSeconds": _seconds(analysis.duration_seconds),
        "scores": analysis.scores,
        "quality": quality
        and {
            "level": quality.level,
            "snrDb": quality.snr_db,
            "clippingRatio": quality.clipping_ratio,
            "issues": list(quality.issues),
        },
        "warnings": list(analysis.warnings),
        "transcript": analysis.transcript,
        "elapsedSeconds": analysis.elapsed_seconds,
        # As in `extensions` of a run.
        "confidence": analysis.confidence,
        "evidence": analysis.evidence,
        "explanation": analysis.explanation,
        "modelVersion": analysis.model_version,
    }


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 2)

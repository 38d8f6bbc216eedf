"""`manage.py score_texts FILE.jsonl`: what the words of many texts say, without a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.model_runs.wellness.words.heads import WordModel, load_model, score_texts

TEXTS_AT_ONCE = 500  # embedded together; keeps memory flat for files of any length


class Command(BaseCommand):
    help = "Score the words of English texts; prints one JSON object for each line. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", metavar="FILE.jsonl", help='a JSON object with "text" a line; - reads standard input'
        )

    def handle(self, *args: Any, **options: Any) -> None:
        model = load_model()
        failed = 0
        try:
            with _open(options["file"]) as lines:
                for answer in _answers(model, lines):
                    failed += "error" in answer
                    self.stdout.write(json.dumps(answer))
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        if failed:
            raise CommandError(f"{failed} of the lines could not be scored.")


def _open(name: str) -> Any:
    """The lines as bytes, so that one line that is no UTF-8 costs no other."""
    return open(sys.stdin.fileno(), "rb", closefd=False) if name == "-" else Path(name).open("rb")


def _answers(model: WordModel, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    numbered = enumerate(lines, 1)
    while batch := list(islice(numbered, TEXTS_AT_ONCE)):
        answers = {number: _read(number, line) for number, line in batch}
        texts = {number: answer for number, answer in answers.items() if isinstance(answer, str)}
        scores = dict(zip(texts, score_texts(model, list(texts.values())), strict=True))
        for number, answer in answers.items():
            if isinstance(answer, str):
                yield {name: round(score, 6) for name, score in scores[number].items()}
            else:
                yield answer


def _read(number: int, line: bytes) -> str | dict[str, Any]:
    """The text of a line, or what is wrong with it."""
    try:
        value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        return {"line": number, "error": "The line is not UTF-8."}
    except (json.JSONDecodeError, RecursionError) as error:
        return {"line": number, "error": f"The line is not JSON: {error}"}
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return {"line": number, "error": 'The line is not a JSON object with a string as "text".'}
    return _speakable(value["text"])


def _speakable(text: str) -> str:
    """`text` without the halves of surrogate pairs that JSON may spell but no text holds."""
    return text.encode("utf-8", "replace").decode("utf-8")

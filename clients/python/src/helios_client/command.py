"""The command `helios`."""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from helios_client.client import Client
from helios_client.errors import HeliosError, NotAuthenticated
from helios_client.runs import BirthSex, Person, Run
from helios_client.version import __version__

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130  # exit codes; argparse ends with 2 itself
# Sent where the caller does not say, since a run needs one. Scores do not depend on it; a child's are doubtful.
DATE_OF_BIRTH = "1990-01-01"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return _run(given)
    except NotAuthenticated as error:
        return _failed(f"{error} (see HELIOS_KEY)")
    except HeliosError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{error.filename or given.recording}: {error.strerror or error}")
    except ValueError as error:
        return _failed(str(error), WRONG_USE)
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED)


def _failed(why: str, code: int = FAILED) -> int:
    print(f"helios: {' '.join(why.split())}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="helios", description="Voice wellness checks. Reads HELIOS_URL and HELIOS_KEY from the environment."
    )
    parser.add_argument("--version", action="version", version=f"helios-client {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="score a recording", description="Create a run, upload, wait, print.")
    run.add_argument("recording", type=Path, help="FLAC, MP3, MP4, Ogg, WebM or WAV, with ten seconds of speech")
    run.add_argument("--label", help="your identifier of the person; a new person if left out")
    run.add_argument("--date-of-birth", metavar="YYYY-MM-DD", help=f"of the person; {DATE_OF_BIRTH} if left out")
    run.add_argument("--birth-sex", choices=get_args(BirthSex), default="UNKNOWN", help="compares with all if unknown")
    run.add_argument("--language", default="en-GB", help="what is spoken (default: %(default)s)")
    run.add_argument("--patient-id", help="the patient whose record the run belongs to")
    run.add_argument("--tag", action="append", default=[], metavar="NAME=VALUE", help="may be given several times")
    run.add_argument("--delete-data", action="store_true", help="erase all of it 12 hours after the end")
    run.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="to wait for (%(default)s)")
    run.add_argument("--json", action="store_true", help="print the reply of the API as JSON")
    return parser


def _run(given: argparse.Namespace) -> int:
    tags = dict(tag.partition("=")[::2] for tag in given.tag)
    person = Person(
        label=given.label or f"helios-run-{uuid.uuid4().hex[:12]}",
        date_of_birth=given.date_of_birth or DATE_OF_BIRTH,
        birth_sex=given.birth_sex,
    )
    with Client() as client:
        run = client.score(
            given.recording, person, given.language,
            tags=tags, patient_id=given.patient_id, delete_data=given.delete_data, timeout=given.timeout,
        )  # fmt: skip
    if given.json:
        print(json.dumps(run.raw, indent=2, ensure_ascii=False))
    elif run.ok:
        print(*_lines(run), sep="\n")
    return 0 if run.ok else _failed(f"run {run.id} ended with {run.error_code}: {run.error_reason}")


def _lines(run: Run) -> list[str]:
    """A result as text: a line for each score, then what there is to say of it, then the words."""
    lines = [f"run {run.id}"]
    for name, score in run.scores.items() if run.scores else ():
        line = f"{name.replace('_', ' '):16} {score.value:.2f}"
        if score.confidence:
            line += f"  {score.confidence.low:.2f} to {score.confidence.high:.2f}, confidence {score.confidence.level}"
        lines.append(line)
    if run.quality:
        lines.append(" ".join(["quality", run.quality.level, *run.quality.issues]))
    lines += [f"warning: {warning}" for warning in run.warnings]
    return [*lines, f"transcript: {run.transcript}"]

"""What `make demo` prints: a finished run for a person to read, and how to go on from there."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from helios_site.runtime.demo_client import CREATE_BODY, RUNS_PATH, Outcome

WIDTH = 96
BAR = 24
REASONS = 2  # shown for each score
DIMENSIONS = {
    "distress": "Distress",
    "stress": "Stress",
    "exhaustion": "Exhaustion",
    "sleepPropensity": "Sleepiness",
    "lowSelfEsteem": "Low self-esteem",
}

EVIDENCE = {
    "acted_proxy": "learnt from actors' voices",
    "literature_index": "an index from the literature",
    "authored_words": "from what was said",
    "customer_trained": "trained on your own labels",
    "trained": "trained on labelled people",
}

STAGES = ("decode", "speech", "quality", "features", "transcribe", "words", "scores", "total")  # as they happen


class Progress:
    """The wait, shown: one line that counts on a terminal, a line at each change and every five seconds in a log."""

    def __init__(self, say: Callable[[str], None], *, live: bool) -> None:
        self._say = say
        self._live = live
        self._last = ("", 0.0)

    def hear(self, status: str, seconds: float) -> None:
        line = f"  {status:<14} {seconds:5.1f} s"
        if self._live:
            print(f"\r{line}", end="", flush=True)
        elif status != self._last[0] or seconds - self._last[1] >= 5.0:
            self._say(line)
            self._last = (status, seconds)


def outcome_lines(outcome: Outcome, stages: Mapping[str, float]) -> Iterator[str]:
    """The whole report; `stages` holds the seconds of each stage in the worker."""
    run = outcome.run
    if run["status"] == "COMPLETE_OK":
        yield from _result_lines(run["results"]["sections"][0], run["extensions"])
    else:
        yield f"The run ended in {run['errorCode']}: {run['errorReason']}"
    for warning in run["warnings"] or ():
        yield f"Note: {warning}"
    yield ""
    yield from _time_lines(outcome, stages)


def _result_lines(section: Mapping[str, Any], extensions: Mapping[str, Any]) -> Iterator[str]:
    yield "Transcript"
    yield from textwrap.wrap(section["transcript"], WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield ""
    yield "Scores from 0 to 1: the share of the reference speakers who show less of it. No diagnosis: see"
    yield "docs/model-card.md for what each rests on. A range is what a longer, cleaner recording may give."
    yield _score_line("Mental strain", section["mentalStrain"]["value"], extensions, "mentalStrain")
    for name, label in DIMENSIONS.items():
        uniform = section[f"uniform{name[0].upper()}{name[1:]}"]["value"]
        yield _score_line(label, uniform, extensions, name)
        reasons = [item for item in extensions["explanation"] or () if item["score"] == name]
        for reason in reasons[:REASONS]:
            line = f"{_measured(reason)} {reason['text']}"
            yield from textwrap.wrap(line, WIDTH, initial_indent="      - ", subsequent_indent="        ")


def _measured(reason: Mapping[str, Any]) -> str:
    """The measurement beside its usual range, or the words."""
    if reason["kind"] == "WORDS":
        return f'"{reason["phrase"]}"'
    unit = "" if reason["unit"] == "1" else f" {reason['unit']}"
    return (
        f"{reason['feature']} {reason['value']:.3g}{unit}"
        f" (usual: {reason['referenceLow']:.3g} to {reason['referenceHigh']:.3g})."
    )


def _score_line(label: str, value: float, extensions: Mapping[str, Any], name: str) -> str:
    filled = round(value * BAR)
    line = f"  {label:<16} {value:.2f}  {'#' * filled}{'.' * (BAR - filled)}"
    confidence = (extensions["confidence"] or {}).get(name)
    if confidence:
        level = str(confidence["level"]).lower()
        line += f"  {confidence['low']:.2f} to {confidence['high']:.2f}, {level} confidence"
    if name in DIMENSIONS and (evidence := (extensions["evidence"] or {}).get(name)):
        line += f"; {EVIDENCE.get(evidence, evidence)}"
    return line


def _time_lines(outcome: Outcome, stages: Mapping[str, float]) -> Iterator[str]:
    extensions = outcome.run["extensions"] or {}
    if extensions.get("durationSeconds"):
        yield (
            f"The recording lasts {extensions['durationSeconds']:.1f} s, of which {extensions['speechSeconds']:.1f} s "
            "are speech."
        )
    yield f"Upload {outcome.upload_seconds:.2f} s, then {outcome.result_seconds:.2f} s to the result. In the worker:"
    for stage in sorted(stages, key=lambda name: STAGES.index(name) if name in STAGES else len(STAGES)):
        yield f"  {stage:<16} {stages[stage]:6.2f} s"


def next_lines(base_url: str, key: str, run_id: str, recording: Path, staff: str) -> Iterator[str]:
    """Where to look, and lines to paste into a shell."""
    header = f"-H 'x-api-key: {key}'"
    runs = base_url + RUNS_PATH
    yield "Look around"
    yield f"  {base_url}/signup         an organisation of your own, its first key and its first result"
    yield f"  {base_url}/               the console of the demo's organisation, once you sign in"
    yield f"  {base_url}/docs           how to call Helios, and how to read its results"
    yield f"  {base_url}/api-reference  every call, to try out with the key below"
    yield f"  {base_url}/admin/         organisations, keys and runs, for staff"
    yield f"  Sign in {staff}."
    yield ""
    yield "Paste into a shell"
    yield f"  curl {header} {base_url}/v1/account"
    yield f"  curl {header} {runs}/{run_id}"
    yield f"  curl {header} -H 'content-type: application/json' {runs} \\"
    yield f"       -d '{json.dumps(CREATE_BODY)}'"
    yield f"  curl -T {recording} '<the recordingUploadUrl of the answer above>'"

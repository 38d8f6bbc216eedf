"""What a new user does first, as a new user does it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from helios_site.runtime.datadir import CHECKOUT
from helios_site.runtime.demo_client import Outcome
from helios_site.runtime.demo_report import Progress, next_lines, outcome_lines
from tests.runtime import processes
from tests.runtime.conftest import environ_of

LABELS = ["Mental strain", "Distress", "Stress", "Exhaustion", "Sleepiness", "Low self-esteem"]


def test_demo_scores_the_real_recording_and_stops(made: Path):
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--exit", "--port", "0", "--workers", "1"],
        cwd=CHECKOUT,
        env=environ_of(made),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "best of times" in " ".join(done.stdout.lower().split())
    scores = re.findall(r"^  [A-Z][\w -]+? +([01]\.\d\d)  [#.]{24}  [01]\.\d\d to", done.stdout, re.MULTILINE)
    assert len(scores) == len(LABELS)
    assert len(set(scores)) > 1
    assert [label for label in LABELS if label in done.stdout] == LABELS
    assert re.search(r"The recording lasts 4[34]\.\d s, of which \d\d\.\d s are speech", done.stdout)
    for stage in ("decode", "speech", "transcribe", "features"):
        assert re.search(rf"^  {stage} +\d+\.\d\d s$", done.stdout, re.MULTILINE), stage
    assert "hlsk_" not in done.stdout + "".join(log.read_text() for log in (made / "logs").glob("*.log"))
    assert processes.of(made) == {}


def outcome(**changes: Any) -> Outcome:
    run = {
        "id": "5",
        "status": "COMPLETE_ERROR",
        "errorCode": "ERR_RECORDING_TOO_SHORT",
        "errorReason": "6.2 s of speech were found.",
        "warnings": None,
        "results": None,
        "extensions": {"durationSeconds": 8.0, "speechSeconds": 6.2},
    }
    return Outcome(run | changes, 0.5, 2.0)


def test_a_failed_run_is_told_with_its_reason():
    lines = list(outcome_lines(outcome(), {"decode": 0.25}))
    assert lines[0] == "The run ended in ERR_RECORDING_TOO_SHORT: 6.2 s of speech were found."
    assert "The recording lasts 8.0 s, of which 6.2 s are speech." in lines
    assert lines[-1] == "  decode             0.25 s"


def test_warnings_are_shown():
    assert "Note: It was noisy." in list(outcome_lines(outcome(warnings=["It was noisy."]), {}))


def test_lines_to_paste_hold_the_key_and_the_run(tmp_path: Path):
    text = "\n".join(next_lines("http://127.0.0.1:1", "hlsk_x", "5", tmp_path / "a.wav", "as ada"))
    assert "curl -H 'x-api-key: hlsk_x' http://127.0.0.1:1/v1/account" in text
    assert "http://127.0.0.1:1/v1/models/mental-wellness/5" in text
    assert f"curl -T {tmp_path}/a.wav" in text
    assert "Sign in as ada." in text


def test_progress_in_a_log_tells_changes_and_every_five_seconds():
    said: list[str] = []
    progress = Progress(said.append, live=False)
    for status, seconds in [("RUNNING", 0.1), ("RUNNING", 1.1), ("RUNNING", 5.2), ("COMPLETE_OK", 6.0)]:
        progress.hear(status, seconds)
    assert [line.split() for line in said] == [
        ["RUNNING", "0.1", "s"],
        ["RUNNING", "5.2", "s"],
        ["COMPLETE_OK", "6.0", "s"],
    ]

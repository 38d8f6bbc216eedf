"""`manage.py score_recordings` as a user calls it: one process, no database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from apps.model_runs.wellness.model import shipped
from tests import audio
from tests.conftest import CHECKOUT
from tests.model_runs.trained import trained

FIELDS = [
    "file", "status", "errorCode", "speechSeconds", "durationSeconds", "scores", "quality", "warnings", "transcript",
    "elapsedSeconds", "confidence", "evidence", "explanation", "modelVersion",
]  # fmt: skip
API_NAMES = {
    "mentalStrain", "distress", "stress", "exhaustion", "sleepPropensity", "lowSelfEsteem", "uniformDistress",
    "uniformStress", "uniformExhaustion", "uniformSleepPropensity", "uniformLowSelfEsteem",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("recordings")
    (root / "clinic").mkdir()
    (root / ".hidden").mkdir()
    (root / "a-reading.wav").write_bytes(audio.encode(audio.cut(audio.speech_44s(), 0, 15)))
    (root / "b-silence.wav").write_bytes(audio.encode(audio.silence(3)))
    (root / "clinic" / "c-short.ogg").write_bytes(audio.encode(audio.cut(audio.speech_44s(), 0, 4), "ogg"))
    (root / ".hidden" / "d.wav").write_bytes(audio.encode(audio.silence(1)))
    return root


def score(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the command where no database and no broker can be reached."""
    environment = os.environ | {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "-W", "error", "manage.py", "score_recordings", *map(str, arguments)]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def lines(folder: Path) -> list[dict[str, Any]]:
    result = score(folder, folder / "nowhere.wav", "--jsonl", "--birth-sex", "MALE", "--date-of-birth", "1980-02-29")
    assert result.returncode == 1, result.stderr
    assert "1 of the files could not be read or scored." in result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_line_for_each_file_in_order_of_name(lines: list[dict[str, Any]], folder: Path) -> None:
    names = [str(Path(line["file"]).relative_to(folder)) for line in lines]
    assert names == ["a-reading.wav", "b-silence.wav", "clinic/c-short.ogg", "nowhere.wav"]


def test_a_scored_file(lines: list[dict[str, Any]]) -> None:
    line = lines[0]
    assert list(line) == FIELDS
    assert (line["status"], line["errorCode"]) == ("COMPLETE_OK", None)
    assert line["durationSeconds"] == pytest.approx(15, abs=0.05)
    assert 10 < line["speechSeconds"] < 15
    assert set(line["scores"]) == API_NAMES
    assert all(0 <= value <= 1 for value in line["scores"].values())
    assert set(line["quality"]) == {"level", "snrDb", "clippingRatio", "issues"}
    assert "best of times" in line["transcript"].lower()
    assert line["warnings"]
    assert set(line["confidence"]) == set(line["evidence"]) == API_NAMES - {n for n in API_NAMES if n[:7] == "uniform"}
    assert {reason["kind"] for reason in line["explanation"]} == {"VOICE"}
    assert line["modelVersion"] == shipped().version
    assert set(line["elapsedSeconds"]) == {"decode", "speech", "quality", "transcribe", "features", "words", "scores"}


def test_refused_files_have_the_same_fields(lines: list[dict[str, Any]]) -> None:
    silence, short = lines[1], lines[2]
    assert list(silence) == list(short) == FIELDS
    assert (silence["status"], silence["errorCode"]) == ("COMPLETE_ERROR", "ERR_TRANSCRIPTION_FAILED")
    assert (short["status"], short["errorCode"]) == ("COMPLETE_ERROR", "ERR_RECORDING_TOO_SHORT")
    assert short["scores"] is None
    assert short["quality"] is None
    assert 0 < short["speechSeconds"] < 4.1


def test_a_missing_file_says_so(lines: list[dict[str, Any]], folder: Path) -> None:
    assert lines[3] == {"file": str(folder / "nowhere.wav"), "error": "No such file or directory"}


def test_without_jsonl_the_answer_is_laid_out_for_people_and_short_clips_can_be_let_through(folder: Path) -> None:
    result = score(folder / "clinic" / "c-short.ogg", "--min-speech-seconds", "0", "--language", "de-DE")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith('{\n  "file": ')
    answer = json.loads(result.stdout)
    assert answer["status"] == "COMPLETE_OK"
    assert answer["transcript"] == ""
    assert result.stderr == ""


def test_an_unknown_birth_sex_is_refused_with_the_choices(folder: Path) -> None:
    result = score(folder, "--birth-sex", "OTHER")
    assert result.returncode == 2
    assert "MALE" in result.stderr


def test_another_model_gives_other_scores(folder: Path, tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    model = tmp_path / "model.json"
    model.write_bytes(trained("clinic-1", shift=1.5))
    recording = folder / "a-reading.wav"
    result = score(recording, "--birth-sex", "MALE", "--model-file", model)
    assert result.returncode == 0, result.stderr
    scores = json.loads(result.stdout)["scores"]
    assert scores["uniformStress"] > lines[0]["scores"]["uniformStress"]
    model.write_text("no model")
    result = score(recording, "--model-file", model)
    assert result.returncode == 1
    assert result.stdout == ""
    assert f"{model}: It is not a wellness model" in result.stderr

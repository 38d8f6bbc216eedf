"""`manage.py score_texts` as a user calls it: one process, no database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

NAMES = ["distress", "stress", "exhaustion", "sleepPropensity", "lowSelfEsteem", "mentalStrain"]


def score(file: str | Path, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Runs the command where no database and no broker can be reached."""
    environment = os.environ | {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-W", "error", "manage.py", "score_texts", str(file)]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, input=given, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[bytes]:
    """Good lines among bad ones."""
    lines = [
        b'{"text": "I am so stressed out, I can\'t cope with the workload."}',
        b"not json",
        b'{"text": "We walked to the shop and bought some apples.", "id": 7}',
        b'{"text": 5}',
        b"\xff\xfe",
        b'["text"]',
        b"",
        b'{"text": ""}',
        b'{"text": "\\ud83d I am so tired \\ud83d\\ude34"}',
        json.dumps({"text": "I bought bread. " * 3_000}).encode(),
    ]
    file = tmp_path_factory.mktemp("texts") / "texts.jsonl"
    file.write_bytes(b"\n".join(lines))
    return score(file)


def test_one_line_a_line_in_order_and_bad_ones_named(mixed: subprocess.CompletedProcess[bytes]) -> None:
    answers = [json.loads(line) for line in mixed.stdout.splitlines()]
    assert len(answers) == 10
    assert [answer["line"] for answer in answers if "error" in answer] == [2, 4, 5, 6, 7]
    assert all(set(answer) == {"line", "error"} and answer["error"] for answer in answers if "error" in answer)
    for answer in answers:
        if "error" not in answer:
            assert list(answer) == NAMES
            assert all(type(value) is float and 0 <= value <= 1 for value in answer.values())
    assert mixed.returncode == 1
    assert b"5 of the lines could not be scored." in mixed.stderr


def test_the_stressed_text_and_the_everyday_ones_are_told_apart(mixed: subprocess.CompletedProcess[bytes]) -> None:
    answers = [json.loads(line) for line in mixed.stdout.splitlines()]
    assert answers[0]["stress"] > 0.5
    for everyday in (answers[2], answers[7], answers[9]):
        assert max(everyday.values()) < 0.5


def test_standard_input_and_exit_code_0(tmp_path: Path) -> None:
    ran = score("-", b'{"text": "I feel worthless."}\n')
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert json.loads(ran.stdout)["lowSelfEsteem"] > 0.5


def test_a_missing_file_is_said_in_one_line(tmp_path: Path) -> None:
    ran = score(tmp_path / "nowhere.jsonl")
    assert ran.returncode == 1
    assert ran.stdout == b""
    assert b"No such file or directory" in ran.stderr
    assert b"Traceback" not in ran.stderr

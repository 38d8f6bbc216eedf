"""Recordings by the client and its command through the whole pipeline."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helios_client import AsyncClient, Person
from helios_client.command import main
from tests import audio
from tests.conftest import RECORDINGS, MakeKey
from tests.docs.samples import samples
from tests.project.checkout import ROOT

pytestmark = RECORDINGS
PACKAGE = ROOT / "clients" / "python"


@pytest.fixture
def folder(tmp_path: Path, url: str, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the recordings are; the environment has address and key."""
    (tmp_path / "recording.wav").write_bytes(audio.encode(audio.speech(16), "wav"))
    (tmp_path / "short.wav").write_bytes(audio.encode(audio.speech(3), "wav"))
    monkeypatch.setenv("HELIOS_URL", url)
    monkeypatch.setenv("HELIOS_KEY", make_key()[1])
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE / "src"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(*command: str) -> str:
    """Standard output of a program that must succeed without a word on standard error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_command_prints_a_result(worker: Path, folder: Path) -> None:
    out = ran(sys.executable, "-W", "error", "-m", "helios_client", "run", "recording.wav")
    assert re.search(r"^mental strain +0\.\d\d  0\.\d\d to \d\.\d\d, confidence (LOW|MEDIUM)$", out, re.MULTILINE)
    assert len(re.findall(r", confidence [A-Z]+$", out, re.MULTILINE)) == 6
    assert re.search(r"^quality (GOOD|FAIR|POOR)", out, re.MULTILINE)
    assert "best of times" in out.splitlines()[-1]


def test_several_runs_of_a_patient_at_once(worker: Path, folder: Path) -> None:
    """One of them ends without results, which is no exception."""

    async def work() -> None:
        async with AsyncClient() as helios:
            patient = await helios.create_patient("Maria Santos", consent=True)
            person = Person("person-1", "1990-08-24", "MALE")
            with (folder / "recording.wav").open("rb") as file:
                run, short, broken = await asyncio.gather(
                    helios.score(file, person, tags={"site": "north"}, patient_id=patient.id),
                    helios.score(folder / "short.wav", person),
                    helios.score(b"no sound", person),
                )
            assert run.ok
            assert run.scores is not None
            assert run.scores.mental_strain.bucket is None
            assert run.scores.stress.bucket in (0, 0.33, 0.66, 1)
            assert run.scores.stress.confidence is not None
            assert run.scores.stress.confidence.low <= run.scores.stress.value <= run.scores.stress.confidence.high
            assert run.scores.stress.evidence == "acted_proxy"
            assert (run.tags, run.patient_id) == ({"site": "north"}, patient.id)
            assert run.duration_seconds == pytest.approx(16, abs=0.1)
            assert run.speech_seconds is not None
            assert 10 < run.speech_seconds <= 16
            assert run.quality is not None
            assert run.explanation[0].text
            assert run.safety is not None
            assert not run.safety.self_harm_language
            assert run.model_version
            assert run.created_at <= (run.run_at or run.created_at) <= (run.completed_at or run.created_at)
            assert (short.ok, short.error_code) == (False, "ERR_RECORDING_TOO_SHORT")
            assert short.error_reason
            assert (broken.ok, broken.error_code, broken.scores) == (False, "ERR_RECORDING_INVALID_FORMAT", None)
            assert [one.id async for one in helios.list_runs(status="COMPLETE_OK")] == [run.id]
            [reading] = (await helios.wellness(patient.id)).scores["uniform_stress"].series
            assert (reading.model_run_id, reading.value) == (run.id, run.scores.stress.value)

    asyncio.run(work())


def test_a_run_without_results_ends_the_command_with_one_line(
    worker: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, line = samples("clients/python/README.md", "sh")[0].splitlines()
    arguments = line.replace("recording.wav", "short.wav").split()[1:]
    assert main(arguments) == 1
    printed = capsys.readouterr()
    run = json.loads(printed.out)
    assert (run["status"], run["userLabel"]) == ("COMPLETE_ERROR", "person-1")
    assert run["extensions"]["tags"] == [{"name": "site", "value": "north"}]
    assert printed.err == f"helios: run {run['id']} ended with ERR_RECORDING_TOO_SHORT: {run['errorReason']}\n"


@pytest.mark.parametrize(
    ("variables", "arguments", "code", "line"),
    [
        ({}, ["recording.wav", "--timeout", "1"], 1, "401: Invalid API key (see HELIOS_KEY)"),
        ({}, ["missing.wav"], 1, "missing.wav: No such file or directory"),
        ({"HELIOS_KEY": ""}, ["recording.wav"], 2, "HELIOS_KEY, or `key`, must be an API key, such as hlsk_…"),
        ({"HELIOS_URL": ""}, ["recording.wav"], 2, "HELIOS_URL, or `url`, must be the address of Helios, such as"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    arguments: list[str],
    code: int,
    line: str,
) -> None:
    for name, value in ({"HELIOS_KEY": "hlsk_unknown"} | variables).items():
        monkeypatch.setenv(name, value)
    assert main(["run", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"helios: {line}")
    assert printed.err.count("\n") == 1

"""Recordings through the real worker: lines 36, 39, 41 to 57, 60 to 68, 81, 84 of the contract's list."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import AuditEvent
from tests import audio
from tests.conftest import RECORDINGS
from tests.contract.helios.calls import create, minimal_body, put, read

pytestmark = RECORDINGS

TERMINAL = ("COMPLETE_OK", "COMPLETE_ERROR")
BUCKETED = ("distress", "stress", "exhaustion", "sleepPropensity", "lowSelfEsteem")
UNIFORM = tuple(f"uniform{name[0].upper()}{name[1:]}" for name in BUCKETED)
CODES = (
    "ERR_RECORDING_INVALID_FORMAT",
    "ERR_RECORDING_TOO_SHORT",
    "ERR_RECORDING_TOO_LONG",
    "ERR_TRANSCRIPTION_FAILED",
    "ERR_INTERNAL",
)


def wait(client: Client, run_id: str, seconds: float = 60) -> list[dict[str, Any]]:
    """Every distinct state that polling saw, the terminal one last."""
    seen: list[dict[str, Any]] = []
    polls = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        body = read(client, run_id)
        if not seen or body != seen[-1]:
            seen.append(body)
        if body["status"] in TERMINAL:
            return seen
        # A run may be polled 120 times a minute: often at first, since most end within two seconds.
        polls += 1
        time.sleep(0.1 if polls < 20 else 0.6)
    pytest.fail(f"the run did not finish: {seen[-1]}")


def finished(client: Client, content: bytes, **body: Any) -> dict[str, Any]:
    run = create(client, minimal_body(**body))
    assert put(client, run["recordingUploadUrl"], content).status_code == 200
    return wait(client, run["id"])[-1]


def assert_failed(body: dict[str, Any], code: str) -> None:
    assert (body["status"], body["errorCode"], body["results"]) == ("COMPLETE_ERROR", code, None)
    assert body["errorReason"]
    assert body["completedAt"] >= body["runAt"] >= body["createdAt"]


@pytest.fixture(scope="module")
def clear_speech() -> bytes:
    return audio.encode(audio.speech(20), "flac")


def section(body: dict[str, Any]) -> dict[str, Any]:
    assert body["status"] == "COMPLETE_OK", (body["errorCode"], body["errorReason"])
    (only,) = body["results"]["sections"]
    return only


@pytest.mark.parametrize("form", ["flac", "mp3", "mp4", "ogg", "webm", "wav"])
def test_36_each_of_the_six_formats_ends_ok(worker: Path, api: Client, form: str) -> None:
    body = finished(api, audio.encode(audio.speech(15), form))
    assert section(body)["transcript"]
    assert body["extensions"]["durationSeconds"] == pytest.approx(15, abs=0.5)


def test_39_a_50_mb_wav_under_three_minutes_is_taken(worker: Path, api: Client) -> None:
    recording = audio.join(audio.speech(14), audio.silence(165))
    large = audio.encode(recording, "wav", rate=96_000, channels=2)
    assert len(large) > 50_000_000
    body = finished(api, large)
    assert section(body)["finishSecs"] == pytest.approx(179, abs=0.5)


def test_41_to_59_a_run_from_upload_to_results(worker: Path, api: Client, clear_speech: bytes) -> None:
    created = create(api)
    before = read(api, created["id"])
    assert put(api, created["recordingUploadUrl"], clear_speech).status_code == 200
    started = time.monotonic()
    states = [before, *wait(api, created["id"])]  # 41: processing begins by itself
    assert time.monotonic() - started < 60  # 57
    statuses = [state["status"] for state in states]
    assert statuses[0] == "CREATED"
    assert statuses[-1] == "COMPLETE_OK"
    assert set(statuses) <= {"CREATED", "RUNNING", "COMPLETE_OK"}  # 42
    assert statuses == sorted(statuses, key=["CREATED", "RUNNING", "COMPLETE_OK"].index)
    assert all(state["runAt"] and state["runAt"] >= state["createdAt"] for state in states[1:])  # 43
    body = states[-1]
    assert body["completedAt"] >= body["runAt"]  # 44
    assert set(body) == {
        "id", "createdAt", "status", "userLabel", "deleteData", "runAt", "completedAt", "errorReason",
        "errorCode", "warnings", "results", "extensions",
    }  # 45  # fmt: skip
    assert (body["errorCode"], body["errorReason"]) == (None, None)
    only = section(body)  # 46
    assert set(only) == {"startSecs", "finishSecs", "transcript", "mentalStrain", *BUCKETED, *UNIFORM}  # 47
    for name in ("mentalStrain", *BUCKETED, *UNIFORM):  # 48
        assert set(only[name]) == {"value"}
        assert isinstance(only[name]["value"], int | float)
    assert all(only[name]["value"] in (0.0, 0.33, 0.66, 1.0) for name in BUCKETED)  # 49
    assert all(0 <= only[name]["value"] <= 1 for name in ("mentalStrain", *UNIFORM))  # 50
    assert "uniformMentalStrain" not in only  # 51
    for bucketed, uniform in zip(BUCKETED, UNIFORM, strict=True):  # 52
        value = only[uniform]["value"]
        expected = 0.0 if value <= 0.25 else 0.33 if value <= 0.5 else 0.66 if value <= 0.75 else 1.0
        assert only[bucketed]["value"] == expected
    mean = sum(only[name]["value"] for name in UNIFORM) / 5
    assert only["mentalStrain"]["value"] == pytest.approx(mean, abs=1e-4)
    assert only["startSecs"] == 0  # 53
    assert only["finishSecs"] == pytest.approx(20, abs=0.5)
    assert "best of times" in only["transcript"].lower()  # 54
    assert body["warnings"] is None or all(isinstance(text, str) for text in body["warnings"])  # 55
    assert read(api, created["id"]) == body  # 59


def test_42_a_terminal_state_never_changes(worker: Path, api: Client) -> None:
    run = create(api)
    put(api, run["recordingUploadUrl"], b"not audio")
    body = wait(api, run["id"])[-1]
    assert put(api, run["recordingUploadUrl"], audio.encode(audio.speech(12), "wav")).status_code == 409
    time.sleep(1)
    assert read(api, run["id"]) == body


@pytest.mark.parametrize("content", [b"Dear doctor, this is a text file.\n" * 40, bytes(range(256)) * 50])
def test_60_text_or_random_bytes_are_an_invalid_format(worker: Path, api: Client, content: bytes) -> None:
    assert_failed(finished(api, content), "ERR_RECORDING_INVALID_FORMAT")


def test_61_five_seconds_of_speech_are_too_short(worker: Path, api: Client) -> None:
    body = finished(api, audio.encode(audio.cut(audio.speech_44s(), 0, 5), "wav"))
    assert_failed(body, "ERR_RECORDING_TOO_SHORT")
    assert 2 < body["extensions"]["speechSeconds"] <= 5.1
    assert "10 s are needed" in body["errorReason"]


def test_62_sixty_seconds_with_six_of_speech_are_too_short(worker: Path, api: Client) -> None:
    recording = audio.join(audio.silence(27), audio.cut(audio.speech_44s(), 0, 6), audio.silence(27))
    body = finished(api, audio.encode(recording, "flac"))
    assert_failed(body, "ERR_RECORDING_TOO_SHORT")
    assert body["extensions"]["durationSeconds"] == pytest.approx(60, abs=0.5)


def test_63_two_hundred_seconds_are_too_long(worker: Path, api: Client) -> None:
    assert_failed(finished(api, audio.encode(audio.speech(200), "ogg")), "ERR_RECORDING_TOO_LONG")


def test_64_thirty_seconds_of_silence_hold_no_speech(worker: Path, api: Client) -> None:
    assert_failed(finished(api, audio.encode(audio.silence(30), "wav")), "ERR_TRANSCRIPTION_FAILED")


@pytest.mark.parametrize("sound", ["white_noise", "pink_noise", "music"])
def test_64_noise_and_music_hold_no_speech(worker: Path, api: Client, sound: str) -> None:
    recording: np.ndarray = getattr(audio, sound)(30)
    assert_failed(finished(api, audio.encode(recording, "flac")), "ERR_TRANSCRIPTION_FAILED")


def test_66_every_refusal_has_a_reason_and_one_of_the_five_codes(worker: Path, api: Client) -> None:
    for content in (b"", b"text", audio.encode(audio.silence(1), "wav")):
        body = finished(api, content)
        assert body["status"] == "COMPLETE_ERROR"
        assert body["errorCode"] in CODES
        assert len(body["errorReason"]) > 10


def test_67_an_empty_upload_is_an_invalid_format(worker: Path, api: Client) -> None:
    assert_failed(finished(api, b""), "ERR_RECORDING_INVALID_FORMAT")


def test_68_a_wrong_content_type_is_ignored(worker: Path, api: Client) -> None:
    run = create(api)
    mp3 = audio.encode(audio.speech(16), "mp3")
    assert put(api, run["recordingUploadUrl"], mp3, content_type="image/png").status_code == 200
    assert wait(api, run["id"])[-1]["status"] == "COMPLETE_OK"


def test_81_two_first_uploads_at_once_give_one_processing_and_one_result(worker: Path, api: Client) -> None:
    run = create(api)
    contents = [audio.encode(audio.speech(seconds), "flac") for seconds in (15, 16)]

    def upload(content: bytes) -> int:
        try:
            return put(Client(), run["recordingUploadUrl"], content).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(upload, contents)) == [200, 409]
    assert wait(api, run["id"])[-1]["status"] == "COMPLETE_OK"
    ended = AuditEvent.objects.filter(object_id=run["id"], action__in=["model_run.completed", "model_run.failed"])
    assert ended.count() == 1


@pytest.mark.parametrize(("seconds", "code"), [(180.0, None), (180.1, "ERR_RECORDING_TOO_LONG")])
def test_84_exactly_three_minutes_are_taken_and_a_tenth_more_is_not(
    worker: Path, api: Client, seconds: float, code: str | None
) -> None:
    quiet_rest = audio.join(audio.speech(14), audio.silence(seconds - 14))
    body = finished(api, audio.wav(quiet_rest))
    assert body["errorCode"] == code


def test_another_recording_gives_other_scores_and_the_same_one_the_same(worker: Path, api: Client) -> None:
    first, second = audio.speech(20), audio.cut(audio.speech_44s(), 22, 42)
    bodies = [finished(api, audio.encode(samples, "wav")) for samples in (first, second, first)]
    values = [{name: section(body)[name]["value"] for name in UNIFORM} for body in bodies]
    assert values[0] == values[2]
    assert values[0] != values[1]

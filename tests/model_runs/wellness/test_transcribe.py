"""The words of a recording. The model is slow, so few recordings are transcribed, and each once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.model_runs.wellness import transcribe as module
from apps.model_runs.wellness.interface import Speech, Transcript
from apps.model_runs.wellness.speech import find_speech
from apps.model_runs.wellness.transcribe import LONGEST_SECONDS, stretches, transcribe
from tests import audio


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


READING = audio.cut(audio.speech_44s(), 0, 21)
WORDS = words(
    "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness "
    "it was the epoch of belief it was the epoch of incredulity it was the season of light "
    "it was the season of darkness it was the spring of hope it was the winter of despair"
)


def errors(found: list[str], expected: list[str]) -> int:
    """Words put in, left out or changed: the edit distance."""
    row = list(range(len(expected) + 1))
    for i, word in enumerate(found, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(expected, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


@pytest.fixture(scope="module")
def reading() -> Transcript:
    return transcribe(READING, find_speech(READING), "en-GB")


def test_the_reading(reading: Transcript) -> None:
    assert reading.supported
    assert errors(words(reading.text), WORDS) <= 0.1 * len(WORDS)


def test_segments_lie_in_order_and_make_the_text(reading: Transcript) -> None:
    assert " ".join(segment.text for segment in reading.segments) == reading.text
    times = [time for segment in reading.segments for time in (segment.start_seconds, segment.finish_seconds)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= 21
    for segment in reading.segments:
        assert 0 < segment.finish_seconds - segment.start_seconds <= LONGEST_SECONDS


def test_the_same_samples_give_the_same_text_at_any_level() -> None:
    samples = audio.cut(READING, 0, 6)
    found = find_speech(samples)
    texts = {transcribe(part, found, "en-US").text for part in (samples, samples, audio.gain(samples, -20))}
    assert len(texts) == 1
    assert "best of times" in texts.pop()


def test_another_voice() -> None:
    samples = audio.speech_10s()
    text = transcribe(samples, find_speech(samples), "en-GB").text
    assert errors(words(text), words("Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.")) <= 2


@pytest.mark.parametrize("language", ["de-DE", "fr-FR", "eng", "en", "EN-GB", ""])
def test_another_language_gives_no_invented_text(language: str) -> None:
    found = find_speech(audio.speech_10s())
    assert transcribe(audio.speech_10s(), found, language) == Transcript("", (), supported=False)


@pytest.mark.parametrize("make", [audio.silence, audio.pink_noise, audio.music], ids=["silence", "noise", "music"])
def test_nothing_is_heard_where_nothing_is_said(make: Any) -> None:
    samples = make(12)
    assert transcribe(samples, find_speech(samples), "en-GB") == Transcript("")


def test_only_what_was_found_to_be_speech_is_heard() -> None:
    """The model never sees the music around the words."""
    noise = audio.gain(audio.music(10), -6)
    samples = audio.join(noise, audio.cut(READING, 0.8, 5), noise)
    transcript = transcribe(samples, find_speech(samples), "en-GB")
    assert errors(words(transcript.text), WORDS[:12]) <= 3
    assert all(9 < s.start_seconds < s.finish_seconds < 16 for s in transcript.segments)


def test_a_fault_of_the_library_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    model = module._model()
    monkeypatch.setattr(module, "_model", lambda: module._Model(model.library, 999_999))
    with pytest.raises(module.TranscriberFailed, match="handle"):
        transcribe(READING, find_speech(READING), "en-GB")


# --- Stretches ---
def spoken(*spans: tuple[float, float]) -> Speech:
    return Speech(spans, sum(end - start for start, end in spans), np.zeros(0, np.bool_))


NOISE = audio.white_noise(60)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ((), []),
        (((0.0, 60.0),), None),
        (((1.0, 3.0), (3.5, 6.0)), [(0.75, 6.25)]),
        (((1.0, 3.0), (6.0, 8.0)), [(0.75, 3.25), (5.75, 8.25)]),  # a long pause
        (((0.1, 7.0), (7.2, 13.0)), [(0.0, 7.1), (7.1, 13.25)]),  # together too long; margins meet half-way
        (((58.0, 59.9),), [(57.75, 60.0)]),
    ],
)
def test_stretches(spans: tuple[tuple[float, float], ...], expected: list[tuple[float, float]] | None) -> None:
    found = stretches(NOISE, spoken(*spans))
    if expected is not None:
        assert list(chain.from_iterable(found)) == pytest.approx(list(chain.from_iterable(expected)))
    for start, end in found:
        assert 0 < end - start <= LONGEST_SECONDS
    for (_, before), (after, _) in pairwise(found):
        assert before <= after
    assert not spans or (found[0][0] <= spans[0][0] and found[-1][1] >= spans[-1][1])


def test_a_long_span_is_cut_where_it_is_quietest() -> None:
    samples = audio.white_noise(20)
    samples[9 * audio.RATE : 9 * audio.RATE + 2000] *= 0.01
    cut = stretches(samples, spoken((0.0, 20.0)))[0][1]
    assert 9.0 <= cut <= 9.13


# --- The process ---
FORKED = """
import json, os, sys, time
from apps.model_runs.wellness import transcribe
from apps.model_runs.wellness.speech import find_speech
from tests import audio

def kilobytes(key):
    with open("/proc/self/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith(key))

transcribe.load()
transcribe.load()
samples = audio.cut(audio.speech_44s(), 0, 11)
for _ in range(2):
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        found = find_speech(samples)
        private = []
        for _ in range(3):
            started = time.process_time()
            text = transcribe.transcribe(samples, found, "en-GB").text
            seconds = time.process_time() - started
            private.append(kilobytes("Private_"))
        with os.fdopen(writer, "w") as answer:
            json.dump({"text": text, "seconds": seconds, "private": private, "shared": kilobytes("Shared_")}, answer)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        print(answer.read(), os.waitpid(child, 0)[1], sep="\\n")
"""


@pytest.fixture(scope="module")
def forked() -> list[dict[str, Any]]:
    """What two children say that were forked from a process which had loaded the model."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED],
        capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    lines = done.stdout.splitlines()
    # The process itself ends well, too: the library crashes when it is taken down in order.
    assert (done.returncode, lines[1::2]) == (0, ["0", "0"]), done.stderr
    return [json.loads(line) for line in lines[::2]]


def test_children_of_a_process_that_loaded_the_model_use_it(forked: list[dict[str, Any]]) -> None:
    assert "best of times" in forked[0]["text"]
    assert forked[0]["text"] == forked[1]["text"]


def test_children_share_the_weights_and_give_memory_back(forked: list[dict[str, Any]]) -> None:
    for child in forked:
        assert child["shared"] > 80_000
        assert child["private"][-1] < 150_000
        assert child["private"][-1] - child["private"][0] < 10_000  # without trimming it grows by 30 MB each time


def test_the_model_is_fast_enough(forked: list[dict[str, Any]]) -> None:
    """15 times real time on one core at rest; the bound leaves room for a busy machine."""
    assert min(child["seconds"] for child in forked) < 11 / 4

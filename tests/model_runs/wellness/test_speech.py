"""What counts as speech, and how much of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.model_runs.wellness.interface import Speech
from apps.model_runs.wellness.speech import at_one_level, find_speech
from tests import audio

READING = audio.cut(audio.speech_44s(), 0, 20)


@pytest.fixture(scope="module")
def reading() -> Speech:
    return find_speech(READING)


def overlap(first: Speech, second: Speech) -> float:
    """Share of the frames on which two findings agree."""
    length = min(len(first.voiced), len(second.voiced))
    return float(np.mean(first.voiced[:length] == second.voiced[:length]))


# --- Speech is found ---
def test_the_reading_is_found(reading: Speech) -> None:
    """Between the 14.5 s in which sound stands out of the pauses and the 17 s from first to last word."""
    assert 14.0 < reading.speech_seconds < 17.0
    assert reading.speech_seconds == pytest.approx(sum(end - start for start, end in reading.spans), abs=0.01)


def test_the_form_of_what_is_found(reading: Speech) -> None:
    assert len(reading.voiced) == 2000
    ends = [0.0, *chain.from_iterable(reading.spans), 20.0]
    assert ends == sorted(ends)
    for (_, before), (after, _) in pairwise(reading.spans):
        assert after - before > 0.3
    inside = np.zeros(2000, bool)
    for start, end in reading.spans:
        inside[round(start * 100) : round(end * 100)] = True
    assert not (reading.voiced & ~inside).any()
    assert reading.voiced.sum() <= inside.sum()


def test_short_sentences_of_another_voice() -> None:
    found = find_speech(audio.speech_10s())
    assert 4.5 < found.speech_seconds < 8.0
    assert len(found.spans) == 6  # Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.


def test_a_longer_pause_joins_more(reading: Speech) -> None:
    strict, lenient = find_speech(READING, 0.0), find_speech(READING, 1.0)
    assert strict.speech_seconds < reading.speech_seconds < lenient.speech_seconds
    assert len(strict.spans) > len(reading.spans) > len(lenient.spans)


@pytest.mark.parametrize("kind", ["white", "pink", "brown", "hum"])
@pytest.mark.parametrize("snr", [20, 10, 5])
def test_speech_in_noise_counts_the_same(reading: Speech, kind: str, snr: int) -> None:
    found = find_speech(audio.add_noise(READING, snr, kind))
    assert found.speech_seconds == pytest.approx(reading.speech_seconds, rel=0.15)


@pytest.mark.parametrize("kind", ["white", "pink", "brown", "hum"])
def test_speech_as_loud_as_the_noise_is_still_found(reading: Speech, kind: str) -> None:
    assert find_speech(audio.add_noise(READING, 0, kind)).speech_seconds > 0.8 * reading.speech_seconds


def test_speech_over_music(reading: Speech) -> None:
    mixed = audio.mix(READING, audio.gain(audio.music(20), audio.level_db(READING) + 10))
    assert find_speech(mixed).speech_seconds == pytest.approx(reading.speech_seconds, rel=0.2)


def test_speech_over_the_telephone(reading: Speech) -> None:
    assert find_speech(audio.telephone(READING)).speech_seconds == pytest.approx(reading.speech_seconds, rel=0.15)


# --- Other sounds are not ---
@pytest.mark.parametrize("name", audio.NOT_SPEECH)
def test_other_sounds_are_no_speech(name: str) -> None:
    for seconds in (20, 45):
        found = find_speech(audio.NOT_SPEECH[name](seconds))
        assert (len(found.spans), found.speech_seconds, int(found.voiced.sum())) == (0, 0.0, 0)


@pytest.mark.parametrize(
    "samples",
    [
        audio.silence(30),
        audio.silence(30) + np.float32(0.3),
        audio.tone(10),
        audio.flip_lowest_bit(audio.silence(30)),
        audio.gain(audio.white_noise(30), -60),
        audio.silence(0),
        audio.silence(0.0005),
        np.ones(1, np.float32),
        audio.white_noise(0.05),
    ],
    ids=["silence", "offset", "tone", "dither", "quiet noise", "empty", "8 samples", "1 sample", "50 ms"],
)
def test_silence_is_no_speech(samples: audio.Samples) -> None:
    found = find_speech(samples)
    assert (len(found.spans), found.speech_seconds, int(found.voiced.sum())) == (0, 0.0, 0)
    assert len(found.voiced) == -(-len(samples) // 160)


def test_six_seconds_of_speech_in_a_minute(reading: Speech) -> None:
    """Contract lines 61 and 62: whatever fills the rest, the speech is not made longer by it."""
    speech = audio.cut(READING, 4, 10)
    alone = find_speech(speech).speech_seconds
    assert alone < 6.0
    for filling in (audio.silence, audio.pink_noise, audio.music):
        rest = audio.gain(filling(27), -15)
        found = find_speech(audio.join(rest, speech, rest))
        assert found.speech_seconds == pytest.approx(alone, abs=0.7)
        assert all(26.5 < start < end < 33.5 for start, end in found.spans)


# --- What must change nothing ---
@pytest.mark.parametrize("db", [-40, -20, 6, 20])
def test_gain_changes_nothing(reading: Speech, db: float) -> None:
    found = find_speech(audio.gain(READING, db))
    assert found.speech_seconds == pytest.approx(reading.speech_seconds, abs=0.05)
    assert overlap(found, reading) > 0.998


def test_sixteen_bits_at_a_low_level_change_little(reading: Speech) -> None:
    coarse = (audio.gain(READING, -20) * 32_768).round() / np.float32(32_768)
    assert find_speech(coarse).speech_seconds == pytest.approx(reading.speech_seconds, rel=0.06)


def test_the_lowest_bit_changes_little(reading: Speech) -> None:
    found = find_speech(audio.flip_lowest_bit(READING))
    assert found.speech_seconds == pytest.approx(reading.speech_seconds, rel=0.03)
    assert overlap(found, reading) > 0.97


def test_a_constant_offset_changes_little(reading: Speech) -> None:
    found = find_speech(READING + np.float32(0.05))
    assert found.speech_seconds == pytest.approx(reading.speech_seconds, rel=0.03)


@pytest.mark.parametrize("seconds", [1.0, 10.0])
def test_silence_at_the_end_changes_nothing(reading: Speech, seconds: float) -> None:
    found = find_speech(audio.join(READING, audio.silence(seconds)))
    assert found.speech_seconds == pytest.approx(reading.speech_seconds, abs=0.02)
    assert np.array_equal(found.voiced[:1990], reading.voiced[:1990])


def test_silence_before_changes_little(reading: Speech) -> None:
    found = find_speech(audio.join(audio.silence(2.0), READING))
    assert found.speech_seconds == pytest.approx(reading.speech_seconds, rel=0.03)


def test_one_bang_changes_little(reading: Speech) -> None:
    samples = READING.copy()
    samples[100:900] = np.random.default_rng(1).uniform(-1, 1, 800)
    assert find_speech(samples).speech_seconds == pytest.approx(reading.speech_seconds, rel=0.1)


def test_the_same_samples_give_the_same_answer(reading: Speech) -> None:
    again = find_speech(READING)
    assert again.spans == reading.spans
    assert np.array_equal(again.voiced, reading.voiced)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 40_000), st.floats(1e-6, 2.0), st.integers(0, 2**32 - 1))
def test_any_length_and_level_is_taken(length: int, level: float, seed: int) -> None:
    samples = (np.random.default_rng(seed).standard_normal(length) * level).clip(-1, 1).astype(np.float32)
    found = find_speech(samples)
    assert len(found.voiced) == -(-length // 160)
    assert 0 <= found.speech_seconds <= length / 16_000 + 0.01


@pytest.mark.parametrize("length", [1, 511, 1024, 1025, 5000])
def test_the_offset_is_taken_off_up_to_both_ends(length: int) -> None:
    wave = 0.01 * np.sin(2 * np.pi * 250 * np.arange(length) / 16_000)
    leveled = at_one_level((wave + 0.5).astype(np.float32))
    assert leveled is None or np.abs(leveled).max() < 0.5  # 0.5 above the wave would be clipped at 1


# --- The process ---
def test_detection_keeps_to_one_thread_and_survives_a_fork() -> None:
    """By default Silero's library computes on four threads, and a process forked after that hangs in it."""
    code = (
        "import os, sys; from tests import audio; from apps.model_runs.wellness.speech import find_speech\n"
        "speech = audio.cut(audio.speech_10s(), 0, 3)\n"
        "threads = len(os.listdir('/proc/self/task'))\n"
        "first = find_speech(speech).speech_seconds\n"
        "print(len(os.listdir('/proc/self/task')) - threads, os.environ.get('OMP_THREAD_LIMIT'))\n"
        "sys.stdout.flush()\n"
        "if (child := os.fork()) == 0: os._exit(0 if find_speech(speech).speech_seconds == first > 1 else 1)\n"
        "print(os.waitpid(child, 0)[1])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_THREAD_LIMIT"}
    found = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        capture_output=True, text=True, timeout=60, env=environment, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert found.stdout.split() == ["0", "None", "0"], found.stderr


def test_detection_is_fast() -> None:
    """160 times real time at rest; the bound leaves room for a busy machine."""
    samples = audio.speech(40)
    start = time.process_time()
    find_speech(samples)
    assert 40 / (time.process_time() - start) > 40

"""What must hold of the features of any recording: real speech, silence, noise, whispers, a handful of samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.model_runs.wellness.features import extract
from apps.model_runs.wellness.features.registry import BY_NAME, FEATURES, HEAD_FEATURES
from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples, Speech
from apps.model_runs.wellness.speech import find_speech
from tests import audio
from tests.model_runs.wellness.voices import spoken

NAMES = [feature.name for feature in FEATURES]
RHYTHM = {"voicedShare", "speechRate", "articulationRate", "pauseShare", "pauseMean", "pauseSpread", "pauseRate"}


def of(samples: Samples) -> np.ndarray:
    values = extract(samples, find_speech(samples))
    assert list(values) == NAMES
    return np.array(list(values.values()))


@pytest.fixture(scope="module")
def reading() -> Samples:
    return audio.cut(audio.speech_44s(), 0, 15)


def test_real_speech_has_every_feature(reading: Samples) -> None:
    values = extract(reading, find_speech(reading))
    assert all(math.isfinite(value) for value in values.values())
    # A man reads: an octave around 110 Hz, three to five syllables a second while he speaks.
    assert 80 < 27.5 * 2 ** (values["pitchMedian"] / 12) < 180
    assert 3 < values["articulationRate"] < 6
    assert 0.4 < values["voicedShare"] < 0.9


def test_equal_input_gives_equal_features(reading: Samples) -> None:
    assert of(reading).tolist() == of(reading.copy()).tolist()


@pytest.mark.parametrize("decibels", [-20, -6, 6])
def test_level_is_no_feature(reading: Samples, decibels: float) -> None:
    np.testing.assert_allclose(of(audio.gain(reading, decibels)), of(reading), rtol=1e-3)


def test_a_second_of_silence_at_either_end_is_no_feature(reading: Samples) -> None:
    expected = of(reading)
    np.testing.assert_allclose(of(audio.join(reading, audio.silence(1))), expected, rtol=1e-3)
    np.testing.assert_allclose(of(audio.join(audio.silence(1), reading)), expected, rtol=0.02)


def test_the_lowest_bit_moves_features_little(reading: Samples) -> None:
    head = np.array([feature.in_heads for feature in FEATURES])
    moved, expected = of(audio.flip_lowest_bit(reading))[head], of(reading)[head]
    assert np.median(np.abs(moved / expected - 1)) < 0.005


def test_two_recordings_differ_in_every_measure() -> None:
    first, second = of(audio.cut(audio.speech_44s(), 0, 12)), of(audio.cut(audio.speech_44s(), 20, 32))
    assert np.count_nonzero(first != second) >= len(NAMES) - 1


def test_without_speech_nothing_is_measured() -> None:
    values = extract(audio.silence(3), Speech((), 0.0, np.zeros(300, np.bool_)))
    assert list(values) == NAMES
    assert all(math.isnan(value) for value in values.values())


def test_a_whisper_has_rhythm_and_no_voice() -> None:
    whisper = audio.white_noise(5)
    values = extract(whisper, spoken(whisper))
    assert values["voicedShare"] < 0.05
    assert {name for name in NAMES if math.isfinite(values[name])} <= RHYTHM


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 3_200),
    st.sampled_from(["noise", "constant", "square", "clicks", "tiny"]),
    st.floats(0.0, 1.0),
)
def test_any_samples_give_finite_values_or_none(seed: int, count: int, kind: str, start: float) -> None:
    rng = np.random.default_rng(seed)
    times = np.arange(count)
    signal = {
        "noise": rng.uniform(-1, 1, count),
        "constant": np.full(count, 0.5),
        "square": np.sign(np.sin(times * rng.uniform(0.01, 0.3))),
        "clicks": (rng.uniform(size=count) < 0.003).astype(float),
        "tiny": rng.uniform(-1, 1, count) * 1e-7,
    }[kind].astype(np.float32)
    seconds = count / SAMPLE_RATE
    values = extract(signal, spoken(signal, [(start * seconds, seconds)]))
    assert list(values) == NAMES
    assert not any(math.isinf(value) for value in values.values())


def test_every_feature_is_documented_once() -> None:
    assert len(BY_NAME) == len(FEATURES)
    for feature in FEATURES:
        assert all((feature.unit, feature.formula, feature.source, feature.higher, feature.lower)), feature.name
        assert feature.higher != feature.lower


def test_what_sees_the_length_the_pauses_or_the_words_of_a_file_is_in_no_head() -> None:
    assert RHYTHM.isdisjoint(HEAD_FEATURES)
    assert {"f1", "f2", "f3", "f1Spread", "f2Spread"}.isdisjoint(HEAD_FEATURES)

"""How good a recording is found to be, against disturbances of known size."""

from __future__ import annotations

import numpy as np
import pytest

from apps.model_runs.wellness.interface import Quality, Recording
from apps.model_runs.wellness.quality import measure
from apps.model_runs.wellness.speech import find_speech
from tests import audio

READING = audio.cut(audio.speech_44s(), 0, 20)
ISSUES = {"LOW_SNR", "CLIPPING", "LOW_LEVEL", "SECOND_SPEAKER", "NARROW_BAND"}


def quality_of(samples: audio.Samples, rate: int = 48_000) -> Quality:
    return measure(Recording(samples, "wav", "pcm_s16le", rate, 1), find_speech(samples))


@pytest.fixture(scope="module")
def clean() -> Quality:
    return quality_of(READING)


def test_a_good_recording(clean: Quality) -> None:
    assert (clean.level, clean.issues, clean.clipping_ratio) == ("GOOD", (), 0.0)
    assert clean.snr_db is not None
    assert clean.snr_db > 20
    assert clean.bandwidth_hz > 6000


def test_the_other_recording() -> None:
    found = quality_of(audio.speech_10s())
    assert found.level in {"GOOD", "FAIR"}
    assert not {"SECOND_SPEAKER", "LOW_LEVEL", "NARROW_BAND", "CLIPPING"} & set(found.issues)


@pytest.mark.parametrize("kind", ["white", "pink"])
@pytest.mark.parametrize("snr", [15, 8, 3])
def test_the_ratio_of_speech_to_noise_is_measured(kind: str, snr: int) -> None:
    """Set over the whole recording; speech fills four fifths of it, so that its own ratio is 1 dB higher."""
    found = quality_of(audio.add_noise(READING, snr, kind)).snr_db
    assert found == pytest.approx(snr + 1, abs=2.5)


@pytest.mark.parametrize(("snr", "level"), [(30, "GOOD"), (16, "FAIR"), (5, "POOR")])
def test_noise_lowers_the_level(snr: int, level: str) -> None:
    found = quality_of(audio.add_noise(READING, snr, "pink"))
    assert found.level == level
    assert ("LOW_SNR" in found.issues) == (level == "POOR")


@pytest.mark.parametrize("db", [-20, -10, 6])
def test_gain_alone_changes_no_measure(clean: Quality, db: float) -> None:
    found = quality_of(audio.gain(READING, db))
    assert found.snr_db == pytest.approx(clean.snr_db, abs=0.3)
    assert (found.level, found.clipping_ratio, found.bandwidth_hz) == (clean.level, 0.0, clean.bandwidth_hz)


def test_a_recording_that_is_far_too_quiet() -> None:
    found = quality_of(audio.gain(READING, -40))
    assert found.issues == ("LOW_LEVEL",)
    assert found.level == "FAIR"


def test_clipping_is_found_also_when_turned_down_afterwards() -> None:
    cut_off = audio.clip(READING, 40)
    for samples in (cut_off, audio.gain(cut_off, -12)):
        found = quality_of(samples)
        assert "CLIPPING" in found.issues
        assert found.level != "GOOD"
        assert found.clipping_ratio == pytest.approx(np.mean(np.abs(cut_off) > 0.999), rel=0.3)


def test_the_telephone() -> None:
    found = quality_of(audio.telephone(READING))
    assert found.bandwidth_hz == pytest.approx(3400, abs=300)
    assert found.issues == ("NARROW_BAND",)
    assert quality_of(audio.telephone(READING), rate=8000).bandwidth_hz <= 4000


def test_a_second_speaker() -> None:
    """Two voices an octave apart, one after the other: a hint. Either alone, or the same voice again: none."""
    man, other = audio.cut(READING, 8, 18), audio.repeat_to(audio.faster(audio.speech_10s(), 2.0), 10)
    assert quality_of(audio.join(man, other)).issues == ("SECOND_SPEAKER",)
    for alone in (man, other, audio.join(man, audio.speech_10s())):
        assert "SECOND_SPEAKER" not in quality_of(alone).issues


def test_without_speech_there_is_no_ratio() -> None:
    for samples in (audio.silence(5), audio.pink_noise(5), audio.silence(0)):
        found = quality_of(samples)
        assert found.snr_db is None
        assert found.level in {"GOOD", "FAIR", "POOR"}


def test_issues_are_those_of_the_contract() -> None:
    worst = audio.add_noise(audio.clip(audio.telephone(READING), 45), 3, "white")
    found = quality_of(audio.gain(worst, -45))
    assert found.level == "POOR"
    assert set(found.issues) <= ISSUES
    assert len(set(found.issues)) == len(found.issues) >= 2

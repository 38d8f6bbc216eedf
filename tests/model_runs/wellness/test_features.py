"""Every kind of measure on voices whose true values are known."""

from __future__ import annotations

import numpy as np
import pytest

from apps.model_runs.wellness.features import extract
from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples
from tests.model_runs.wellness.voices import Signal, normal, spoken, voice, with_formants, with_noise


def measured(samples: Samples) -> dict[str, float]:
    return extract(samples, spoken(samples))


def flat(hertz: Signal) -> Signal:
    return np.zeros_like(hertz)


@pytest.mark.parametrize("f0", [80, 110, 165, 220, 330, 480])
def test_pitch_is_in_semitones_above_27_5_hertz(f0: float) -> None:
    values = measured(voice(3, f0))
    assert values["pitchMedian"] == pytest.approx(12 * np.log2(f0 / 27.5), abs=0.05)
    assert values["pitchSpread"] < 0.1
    assert values["voicedShare"] > 0.97


def test_vibrato_of_two_semitones_is_measured() -> None:
    times = np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE
    values = measured(voice(5, 150 * 2 ** (2 * np.sin(2 * np.pi * 2 * times) / 12)))
    assert values["pitchSpread"] == pytest.approx(2 / np.sqrt(2), rel=0.05)
    # The mean absolute slope of a sine is 4 * amplitude * frequency; smoothing over 50 ms takes a little off it.
    assert values["pitchMovement"] == pytest.approx(4 * 2 * 2, rel=0.06)
    assert values["pitchRise"] == pytest.approx(values["pitchFall"], rel=0.05)
    assert values["pitchHigh"] - values["pitchLow"] == pytest.approx(4 * np.sin(0.3 * np.pi), rel=0.05)


@pytest.mark.parametrize("f0", [100, 200])
@pytest.mark.parametrize("deviation", [0.005, 0.01, 0.02])
def test_jitter(f0: float, deviation: float) -> None:
    values = measured(voice(5, f0, jitter=deviation, level=lambda hertz: -6 * hertz / 1_000))
    # Two independent normal draws differ by 2 / sqrt(pi) deviations in the mean.
    assert values["jitter"] == pytest.approx(deviation * 2 / np.sqrt(np.pi), rel=0.25)


def test_an_even_voice_has_next_to_no_jitter_and_shimmer() -> None:
    values = measured(voice(5, 123.4))
    assert values["jitter"] < 0.001
    assert values["shimmer"] < 0.1


@pytest.mark.parametrize("deviation", [0.3, 0.6, 1.0])
def test_shimmer(deviation: float) -> None:
    values = measured(voice(5, 120, shimmer_db=deviation, level=lambda hertz: -6 * hertz / 1_000))
    assert values["shimmer"] == pytest.approx(deviation * 2 / np.sqrt(np.pi), rel=0.25)


@pytest.mark.parametrize("snr_db", [6, 12, 20])
def test_harmonics_to_noise_ratio_is_that_of_the_mixture(snr_db: float) -> None:
    values = measured(with_noise(voice(4, 150), snr_db))
    assert values["hnr"] == pytest.approx(snr_db, abs=1.5)


@pytest.mark.parametrize(
    "formants", [(700, 1_220, 2_600, 3_500, 4_500), (300, 2_300, 3_000, 3_700, 4_700), (320, 800, 2_300, 3_400, 4_500)]
)
def test_formants(formants: tuple[float, ...]) -> None:
    source = voice(3, 110, level=lambda hertz: -6 * np.log2(np.maximum(hertz, 1) / 100))  # glottis and lips
    values = measured(with_formants(source, formants))
    for number, expected in enumerate(formants[:3], start=1):
        assert values[f"f{number}"] == pytest.approx(expected, rel=0.06), f"formant {number}"


@pytest.mark.parametrize("decibels_per_kilohertz", [0, -6, -12])
def test_spectral_slopes(decibels_per_kilohertz: float) -> None:
    # Harmonics a bin's width apart from the band's edges, all on one straight line of level.
    values = measured(voice(3, 100, level=lambda hertz: decibels_per_kilohertz * hertz / 1_000))
    assert values["slope500to1500"] == pytest.approx(decibels_per_kilohertz, abs=1.5)


def test_low_slope_tells_rising_from_falling() -> None:
    rising = measured(voice(3, 70, level=lambda hertz: 30 * np.minimum(hertz, 500) / 1_000))
    falling = measured(voice(3, 70, level=lambda hertz: -30 * np.minimum(hertz, 500) / 1_000))
    assert rising["slope0to500"] - falling["slope0to500"] == pytest.approx(60, rel=0.25)


def test_alpha_ratio_and_hammarberg_index_follow_the_bands() -> None:
    # Six harmonics of 150 Hz lie under 1 kHz at 0 dB, twenty-seven from there to 5 kHz at -20 dB.
    values = measured(voice(3, 150, level=lambda hertz: np.where(hertz < 1_000, 0.0, -20.0)))
    assert values["alphaRatio"] == pytest.approx(10 * np.log10(6 / 27) + 20, abs=0.5)
    values = measured(voice(3, 150, level=lambda hertz: np.where(hertz < 2_000, 0.0, -25.0)))
    assert values["hammarbergIndex"] == pytest.approx(25, abs=1.0)


def test_centroid_and_rolloff_of_a_flat_spectrum() -> None:
    values = measured(voice(3, 100, level=flat))
    assert values["spectralCentroid"] == pytest.approx(2_000, rel=0.03)
    assert values["spectralRolloff"] == pytest.approx(0.85 * 3_900 + 100, rel=0.03)


@pytest.mark.parametrize("difference", [-6, 0, 10])
def test_first_over_second_harmonic(difference: float) -> None:
    values = measured(voice(3, 200, level=lambda hertz: np.where(hertz < 300, float(difference), 0.0)))
    assert values["h1h2"] == pytest.approx(difference, abs=0.5)


def test_flux_is_near_zero_for_a_held_vowel_and_large_for_a_changing_one() -> None:
    held = with_formants(voice(4, 120), (700, 1_200))
    other = with_formants(voice(4, 120), (300, 2_300))
    turns = (np.arange(len(held)) // (SAMPLE_RATE // 10)) % 2 == 0
    still = measured(held)["spectralFlux"]
    assert still < 0.002
    assert measured(normal(np.where(turns, held, other)))["spectralFlux"] > 5 * still


def test_loudness_spread_of_a_swelling_voice() -> None:
    times = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    swell = 10 ** (6 * np.sin(2 * np.pi * times) / 20)  # six decibels up and down
    values = measured(normal(voice(6, 140) * swell))
    assert values["loudnessSpread"] == pytest.approx(6 / np.sqrt(2), rel=0.05)
    assert values["loudnessMovement"] == pytest.approx(4 * 6 * 1, rel=0.05)


def test_cepstra_tell_a_dark_voice_from_a_bright_one() -> None:
    dark = measured(voice(3, 120, level=lambda hertz: -12 * hertz / 1_000))
    bright = measured(voice(3, 120, level=flat))
    assert dark["mfcc1Mean"] > bright["mfcc1Mean"] + 5
    assert abs(bright["mfcc1Mean"]) < 3


def test_syllables_and_pauses() -> None:
    # Four syllables a second for 3 s, a pause of 1 s, again 3 s, a pause of 2 s, again 3 s.
    times = np.arange(12 * SAMPLE_RATE) / SAMPLE_RATE
    syllables = voice(12, 130) * (0.05 + 0.95 * np.sin(np.pi * 4 * times) ** 2)
    spans = [(0.0, 3.0), (4.0, 7.0), (9.0, 12.0)]
    inside = np.any([(times >= a) & (times < b) for a, b in spans], axis=0)
    samples = normal(np.where(inside, syllables, 0))
    values = extract(samples, spoken(samples, spans))
    assert values["articulationRate"] == pytest.approx(4.0, abs=0.25)
    assert values["speechRate"] == pytest.approx(3.0, abs=0.2)
    assert values["pauseShare"] == pytest.approx(3 / 12)
    assert values["pauseMean"] == pytest.approx(1.5)
    assert values["pauseSpread"] == pytest.approx(0.5)
    assert values["pauseRate"] == pytest.approx(10.0)

"""How good a recording is as a basis for scores: noise, clipping, level, bandwidth, a second speaker.

Every measure but the level ignores the recording's gain. Thresholds are named here and nowhere else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.features import Tracked, track
from apps.model_runs.wellness.interface import SAMPLE_RATE, Quality, Recording, Speech

FRAME = SAMPLE_RATE // 100  # samples in the 10 ms frames of `Speech.voiced`

GOOD_SNR_DB = 20.0  # a quiet room with a near microphone
LOW_SNR_DB = 12.0  # below it, features of voice quality are no longer repeatable
BEST_SNR_DB = 60.0  # what 16 bits can hold in practice; digital silence would be infinitely better
FEWEST_NOISE_FRAMES = 20  # 0.2 s; with less the quietest tenth of the speech stands for the noise
CLIPPED_SHARE = 0.0001  # of the samples; speech touches its own maximum far more seldom
PEAK_MARGIN = 0.99  # a sample this close to the recording's peak counts as on it
PLATEAU = 4  # samples in a row on the peak are a cut top, not the top of a vowel
LOW_LEVEL_DBFS = -60.0  # of the speech; a 16-bit recording keeps few steps below it
NARROW_BAND_HZ = 4200.0  # a telephone ends at 3400 Hz
BAND_FLOOR_DB = 45.0  # how far below its loudest band speech still carries

# Two voices: the median pitches of voiced stretches fall into two groups with hardly anything between them.
VOICE_GAP_OCTAVES = 6 / 12  # between the groups' means; one speaker's expression fills the range in between
VALLEY_OCTAVES = 1.5 / 12  # to each side of the middle
VALLEY_SHARE = 0.06  # of the voiced time may lie there
SMALLEST_GROUP = 0.2  # of the voiced time
SHORTEST_STRETCH = 12  # frames of 10 ms

Array = NDArray[np.float64]


def measure(recording: Recording, speech: Speech, tracked: Tracked | None = None) -> Quality:
    """Measure a recording in which speech was found; `tracked` is what `features.track` made of it, if that is there.

    `snr_db` is None when there is no speech to compare with.
    """
    samples = recording.samples
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    power = np.square(frames).mean(axis=1)
    voiced = speech.voiced[: len(power)]
    snr = _snr_db(power, voiced, _in_spans(len(power), speech))
    clipping = _clipping_ratio(samples)
    bandwidth = _bandwidth_hz(frames[voiced], recording.source_sample_rate)
    level = _decibels(float(power[voiced].mean())) if voiced.any() else -np.inf
    issues = []
    if snr is not None and snr < LOW_SNR_DB:
        issues.append("LOW_SNR")
    if clipping > CLIPPED_SHARE:
        issues.append("CLIPPING")
    if level < LOW_LEVEL_DBFS:
        issues.append("LOW_LEVEL")
    if bandwidth >= NARROW_BAND_HZ and _has_second_speaker(tracked or track(samples, speech)):
        # Without its fundamental, as on a telephone, one voice's pitch jumps by octaves.
        issues.append("SECOND_SPEAKER")
    if bandwidth < NARROW_BAND_HZ:
        issues.append("NARROW_BAND")
    return Quality(_level(snr, issues), snr, clipping, bandwidth, tuple(issues))


def _level(snr: float | None, issues: list[str]) -> str:
    """POOR where the scores themselves are in doubt, FAIR where they are less certain."""
    if "LOW_SNR" in issues or len(issues) > 1:
        return "POOR"
    return "GOOD" if not issues and (snr is None or snr >= GOOD_SNR_DB) else "FAIR"


def _decibels(power: float) -> float:
    return float(10 * np.log10(max(power, 1e-12)))


def _in_spans(count: int, speech: Speech) -> NDArray[np.bool_]:
    inside = np.zeros(count, np.bool_)
    for start, finish in speech.spans:
        inside[int(start * 100) : int(np.ceil(finish * 100))] = True
    return inside


def _snr_db(power: Array, voiced: NDArray[np.bool_], inside: NDArray[np.bool_]) -> float | None:
    """Power of the speech over that of the pauses. Digital silence is no pause: it was put there by a program."""
    if not voiced.any():
        return None
    pauses = power[~inside & (power > 0)]
    floor = power[power > 0]
    noise = np.median(pauses) if len(pauses) >= FEWEST_NOISE_FRAMES else np.percentile(floor, 10)
    ratio = max(float(power[voiced].mean()) - float(noise), 1e-12) / max(float(noise), 1e-12)
    return round(float(min(10 * np.log10(ratio), BEST_SNR_DB)), 1)


def _clipping_ratio(samples: NDArray[np.float32]) -> float:
    """Share of the samples that lie on plateaus at the recording's own peak, so that a cut top is found at any gain."""
    peak = float(np.abs(samples).max(initial=0.0))
    if not peak:
        return 0.0
    share = 0
    for on_peak in (samples >= PEAK_MARGIN * peak, samples <= -PEAK_MARGIN * peak):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], on_peak.view(np.int8), [0]))))
        lengths = edges[1::2] - edges[::2]
        share += int(lengths[lengths >= PLATEAU].sum())
    return round(share / len(samples), 6)


def _bandwidth_hz(frames: Array, source_rate: int) -> float:
    """Highest frequency at which the voiced frames' average spectrum is within BAND_FLOOR_DB of its maximum."""
    limit = min(SAMPLE_RATE, source_rate) / 2
    if not len(frames):
        return limit
    spectrum = np.square(np.abs(np.fft.rfft(frames * np.hanning(FRAME), n=512, axis=1))).mean(axis=0)
    bands = spectrum[1:].reshape(-1, 8).mean(axis=1)  # of 250 Hz
    carried = np.flatnonzero(bands > bands.max() * 10 ** (-BAND_FLOOR_DB / 10))
    return float(min((carried[-1] + 1) * 250.0 if len(carried) else limit, limit))


def _has_second_speaker(tracked: Tracked) -> bool:
    """A cautious hint: two voices of like pitch are not told apart, and one with a wide range is not taken for two."""
    pitch = tracked.pitch
    octaves, weights = [], []
    for run in range(int(pitch.run.max(initial=-1)) + 1):
        f0 = pitch.f0[pitch.run == run]
        if len(f0) >= SHORTEST_STRETCH:
            octaves.append(float(np.log2(np.median(f0))))
            weights.append(len(f0))
    if len(octaves) < 2:
        return False
    order = np.argsort(octaves)
    x, w = np.array(octaves)[order], np.array(weights, float)[order] / sum(weights)
    below = np.cumsum(w)[:-1]
    low = np.cumsum(w * x)[:-1] / below
    high = ((w * x).sum() - np.cumsum(w * x)[:-1]) / (1 - below)
    best = int(np.argmax(below * (1 - below) * (high - low) ** 2))  # Otsu's threshold between two groups
    middle = (low[best] + high[best]) / 2
    return bool(
        high[best] - low[best] >= VOICE_GAP_OCTAVES
        and min(below[best], 1 - below[best]) >= SMALLEST_GROUP
        and w[np.abs(x - middle) < VALLEY_OCTAVES].sum() <= VALLEY_SHARE
    )

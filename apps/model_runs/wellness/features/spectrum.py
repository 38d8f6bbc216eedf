"""Spectral shape, loudness dynamics and cepstra of voiced frames."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.features.frames import BIN_HZ, FFT_SIZE, Array, Frames
from apps.model_runs.wellness.features.pitch import Pitch, contour_slopes

_BINS = np.arange(FFT_SIZE // 2 + 1) * BIN_HZ
_TINY = np.float32(1e-20)
_FLOOR = np.float32(1e-6)  # -60 dB under a frame's strongest bin: below it is rounding, not voice
_QUIET_SHARE = 0.25
_ENOUGH_UNVOICED = 100  # frames: a second


def _band(low: float, high: float) -> slice:
    return slice(int(np.searchsorted(_BINS, low)), int(np.searchsorted(_BINS, high)))


_SPEECH_BAND = _band(100, 4_000)  # what nearly every microphone and line carries
_SMOOTHING_BINS = 9  # 140 Hz: the gaps between harmonics hold noise, and slopes should not measure it
_QUIET_BAND = np.float32(1e-4)  # -40 dB under a frame's strongest mel band: what lies below counts as that


def voiced_spectra(frames: Frames, pitch: Pitch) -> Array:
    """Power spectra of the voiced frames (n, 513) with the recording's noise floor taken off.

    The floor is the mean spectrum of the quietest quarter of the unvoiced frames inside speech: closures and short
    pauses. Frames outside speech would tell more, but then a second of silence at the end would change every feature.
    """
    power = frames.power[pitch.voiced]
    unvoiced = frames.power[~pitch.voiced]
    clean = power
    if len(unvoiced):
        total = unvoiced.sum(axis=1)
        noise = unvoiced[total <= np.quantile(total, _QUIET_SHARE)].mean(axis=0)
        # Few such frames are poor witnesses; a tenth of the power always stays, since the floor is an estimate.
        trust = np.float32(min(1.0, len(unvoiced) / _ENOUGH_UNVOICED))
        clean = np.maximum(power - trust * noise, np.float32(0.1) * power)
    return np.asarray(np.maximum(clean, _FLOOR * clean.max(axis=1, keepdims=True) + _TINY), np.float32)


def measure_spectrum(power: Array, frames: Frames, pitch: Pitch) -> dict[str, float]:
    """Balance, slopes, centre, change and cepstra of voiced frames; `power` as of `voiced_spectra`."""
    decibels = 10 * np.log10(power)
    smooth = 10 * np.log10(_smoothed(power))
    alpha = _level(power, 50, 1_000) - _level(power, 1_000, 5_000)
    hammarberg = decibels[:, _band(0, 2_000)].max(axis=1) - decibels[:, _band(2_000, 5_000)].max(axis=1)
    speech = power[:, _SPEECH_BAND]
    total = speech.sum(axis=1)
    values = {
        "alphaRatio": float(alpha.mean()),
        "alphaRatioSpread": float(alpha.std()),
        "hammarbergIndex": float(hammarberg.mean()),
        "slope0to500": float(_slope(smooth, 0, 500).mean()),
        "slope500to1500": float(_slope(smooth, 500, 1_500).mean()),
        "spectralCentroid": float((speech @ _BINS[_SPEECH_BAND].astype(np.float32) / total).mean()),
        "spectralRolloff": float(_rolloff(speech, total).mean()),
        "spectralFlux": _flux(speech, frames.index[pitch.voiced]),
    }
    cepstra = _cepstra(power)
    for k in range(1, 5):
        values[f"mfcc{k}Mean"] = float(cepstra[:, k - 1].mean())
        values[f"mfcc{k}Spread"] = float(cepstra[:, k - 1].std())
    return values


def measure_loudness(power: Array, pitch: Pitch) -> dict[str, float]:
    """How much and how fast the level of voiced frames changes, in dB; no absolute level."""
    level = _level(power, 100, 5_000)
    slopes = contour_slopes(level, pitch.run[pitch.voiced])
    low, high = np.percentile(level, [20, 80])
    return {
        "loudnessSpread": float(level.std()),
        "loudnessRange": float(high - low),
        "loudnessMovement": float(np.abs(slopes).mean()) if len(slopes) else np.nan,
    }


def _level(power: Array, low: float, high: float) -> Array:
    return np.asarray(10 * np.log10(power[:, _band(low, high)].sum(axis=1)), np.float32)


def _smoothed(power: Array) -> Array:
    """The lower 2 kHz averaged over neighbouring bins."""
    low = np.pad(
        power[:, : _band(0, 2_200).stop], ((0, 0), (_SMOOTHING_BINS // 2 + 1, _SMOOTHING_BINS // 2)), "reflect"
    )
    sums = np.cumsum(low, axis=1, dtype=np.float64)
    return np.asarray(sums[:, _SMOOTHING_BINS:] - sums[:, :-_SMOOTHING_BINS], np.float32)


def _slope(decibels: Array, low: float, high: float) -> Array:
    """Least-squares slope in dB/kHz of each frame over a band."""
    band = _band(low, high)
    kilohertz = _BINS[band] / 1_000
    centred = kilohertz - kilohertz.mean()
    weights = (centred / (centred**2).sum()).astype(np.float32)
    return np.asarray(decibels[:, band] @ weights, np.float32)


def _rolloff(speech: Array, total: Array) -> Array:
    """Frequency in Hz below which 85 % of the power lies, between bins by a straight line."""
    cumulative = np.cumsum(speech, axis=1) / total[:, None]
    above = (cumulative >= 0.85).argmax(axis=1)
    rows = np.arange(len(speech))
    before = np.where(above > 0, cumulative[rows, np.maximum(above - 1, 0)], 0.0)
    part = (0.85 - before) / np.maximum(cumulative[rows, above] - before, 1e-9)
    return np.asarray(_BINS[_SPEECH_BAND][0] + (above - 1 + part) * BIN_HZ, np.float32)


def _flux(speech: Array, index: NDArray[np.int64]) -> float:
    amplitude = np.sqrt(speech)
    amplitude /= np.linalg.norm(amplitude, axis=1, keepdims=True)
    next_to = np.diff(index) == 1
    if not next_to.any():
        return float("nan")
    return float(((amplitude[1:] - amplitude[:-1]) ** 2).sum(axis=1)[next_to].mean())


@functools.cache
def _mel_filters() -> tuple[Array, Array]:
    """26 triangular filters on the mel scale, 150-4,000 Hz: (513, 26); rows 1-4 of the DCT: (26, 4)."""
    mel = np.linspace(2595 * np.log10(1 + 150 / 700), 2595 * np.log10(1 + 4_000 / 700), 28)
    edges = 700 * (10 ** (mel / 2595) - 1)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rise = (_BINS[:, None] - low) / (centre - low)
    fall = (high - _BINS[:, None]) / (high - centre)
    filters = np.clip(np.minimum(rise, fall), 0, None)
    filters /= filters.sum(axis=0)
    angle = np.pi * (np.arange(26)[:, None] + 0.5) * np.arange(1, 5) / 26
    return filters.astype(np.float32), (np.sqrt(2 / 26) * np.cos(angle)).astype(np.float32)


def _cepstra(power: Array) -> Array:
    filters, transform = _mel_filters()
    bands = power @ filters
    floor = _QUIET_BAND * bands.max(axis=1, keepdims=True)
    return np.asarray(np.log(bands + floor) @ transform, np.float32)

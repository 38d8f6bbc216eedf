"""Formants: the poles of a linear prediction of the lower part of the spectrum (Makhoul 1975)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.features.frames import BIN_HZ, Array

_TOP_BIN = 336  # 5,250 Hz: five formants of an adult voice
_RATE = 2 * _TOP_BIN * BIN_HZ  # the rate of the signal that this part of the spectrum describes
_ORDER = 10
_WIDEST = 700.0  # Hz: a broader pole is slope, not a formant
_STRIDE = 2  # every second voiced frame: formants move slowly and poles are dear


def measure_formants(power: Array) -> dict[str, float]:
    """Medians and spreads of F1-F3 in Hz over voiced spectra (n, 513)."""
    tracks = _formants(power[::_STRIDE])
    values = {}
    for number in range(3):
        track = tracks[:, number]
        track = track[np.isfinite(track)]
        low, middle, high = np.percentile(track, [16, 50, 84]) if len(track) else (np.nan,) * 3
        values[f"f{number + 1}"] = float(middle)
        if number < 2:
            values[f"f{number + 1}Spread"] = float(high - low) / 2
    return values


def _formants(power: Array) -> NDArray[np.float64]:
    """First three formants of each spectrum in Hz, NaN where fewer were found: (n, 3)."""
    frequency = np.arange(_TOP_BIN + 1) / _TOP_BIN * np.pi
    emphasis = 1 - 2 * 0.97 * np.cos(frequency) + 0.97**2
    lags = np.fft.irfft(power[:, : _TOP_BIN + 1] * emphasis, axis=1)[:, : _ORDER + 1].astype(np.float64)
    lags[:, 0] *= 1 + 1e-5  # white noise at -50 dB keeps the recursion stable
    coefficients = _levinson(lags)
    companion = np.zeros((len(power), _ORDER, _ORDER))
    companion[:, 0, :] = -coefficients
    companion[:, np.arange(1, _ORDER), np.arange(_ORDER - 1)] = 1
    poles = np.linalg.eigvals(companion)
    angle, radius = np.angle(poles), np.maximum(np.abs(poles), 1e-6)
    hertz = angle * _RATE / (2 * np.pi)
    width = -np.log(radius) * _RATE / np.pi
    good = (hertz > 150) & (hertz < 5_000) & (width < _WIDEST)
    return np.sort(np.where(good, hertz, np.nan), axis=1)[:, :3]


def _levinson(lags: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prediction coefficients a1..ap of every row of autocorrelations (n, p + 1), by Levinson and Durbin."""
    count, order = len(lags), lags.shape[1] - 1
    a = np.zeros((count, order))
    error = np.maximum(lags[:, 0], 1e-30)
    for step in range(order):
        reflected = lags[:, step + 1] + (a[:, :step] * lags[:, step:0:-1]).sum(axis=1)
        k = -reflected / error
        a[:, :step] += k[:, None] * a[:, :step][:, ::-1]
        a[:, step] = k
        error = np.maximum(error * (1 - k**2), 1e-30)
    return a

"""Short-time spectra of the frames that hold speech: one pass that every other measure reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples, Speech

HOP = 160  # 10 ms, the grid of the voice activity detector
WINDOW = 720  # 45 ms: 2.7 periods of the lowest pitch, the least that an autocorrelation can measure
FFT_SIZE = 1024  # holds the window and the longest lag without wrapping
LOWEST_PITCH = 60.0  # Hz
HIGHEST_PITCH = 600.0  # Hz: shouting and children
LONGEST_LAG = int(SAMPLE_RATE / LOWEST_PITCH) + 2  # one more for the parabola around the last candidate
BIN_HZ = SAMPLE_RATE / FFT_SIZE

# Where a telephone has cut the fundamental off, the harmonics under one formant outshine the rest and the pitch is
# taken for a multiple of itself. There the spectrum is flattened, so that weak harmonics count too (Tolonen and
# Karjalainen 2000, IEEE Trans. Speech and Audio Processing 8(6)). Elsewhere it would favour fractions of the pitch.
FLATTENING = 0.7
LACKING_DB = -20.0  # 60-250 Hz against 300-1,000 Hz: whole voices lie above, telephones below

_CHUNK = 2_000  # frames at a time, so that memory does not grow with the recording

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of speech, in order; stretches without speech are left out.

    `index` (n,) is each frame's number on the 10 ms grid (its centre lies at (index + .5) * 10 ms),
    `power` (n, 513) its power spectrum, `autocorrelation` (n, LONGEST_LAG) is normalised to 1 at lag 0 with
    the window's own shape divided out (Boersma 1993), `peak` (n,) is the greatest absolute sample. `flattened` is the
    autocorrelation of the power spectrum to the power of FLATTENING where the recording lacks its lowest sounds.
    """

    index: NDArray[np.int64]
    power: Array
    autocorrelation: Array
    peak: Array
    flattened: Array | None


def analyse_frames(samples: Samples, speech: Speech) -> Frames:
    """Windowed spectra of every frame whose centre lies in a span of speech."""
    index = _speech_frames(len(samples), speech)
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    whole = np.abs(np.fft.rfft(window, FFT_SIZE)).astype(np.float32) ** 2
    padded = np.pad(samples, (WINDOW // 2 - HOP // 2, WINDOW))
    views = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)
    power = np.empty((len(index), FFT_SIZE // 2 + 1), np.float32)
    correlation = np.empty((len(index), LONGEST_LAG), np.float32)
    peak = np.empty(len(index), np.float32)
    for start in range(0, len(index), _CHUNK):
        part = slice(start, start + _CHUNK)
        block = views[index[part] * HOP]
        block = block - block.mean(axis=1, keepdims=True)
        peak[part] = np.abs(block).max(axis=1)
        spectrum = np.fft.rfft(block * window, FFT_SIZE)
        power[part] = spectrum.real**2 + spectrum.imag**2
        correlation[part] = _normalised(power[part], whole)
    flattened = None
    if _lacks_lows(power):
        flattened = np.empty_like(correlation)
        for start in range(0, len(index), _CHUNK):
            part = slice(start, start + _CHUNK)
            flattened[part] = _normalised(power[part] ** np.float32(FLATTENING), whole**FLATTENING)
    return Frames(index, power, correlation, peak, flattened)


def smooth(values: Array, width: int) -> Array:
    """Centred moving average of odd `width`; the ends repeat the first and last value."""
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width, np.float32), mode="valid").astype(np.float32)


def _lacks_lows(power: Array) -> bool:
    low, middle = (
        float(power[:, int(first / BIN_HZ) : int(last / BIN_HZ)].sum(dtype=np.float64))
        for first, last in ((60, 250), (300, 1_000))
    )
    return low < middle * 10 ** (LACKING_DB / 10)


def _normalised(power: Array, window_power: Array) -> Array:
    """Autocorrelation that is 1 at lag 0, without the window's own shape."""
    lags, shape = _autocorrelation(power), _autocorrelation(window_power)
    return np.asarray(lags / np.maximum(lags[:, :1], np.float32(1e-20)) / (shape / shape[0]), np.float32)


def _autocorrelation(power: Array) -> Array:
    return np.asarray(np.fft.irfft(power, FFT_SIZE)[..., :LONGEST_LAG], np.float32)


def _speech_frames(sample_count: int, speech: Speech) -> NDArray[np.int64]:
    centres = (np.arange(sample_count // HOP) + 0.5) * HOP / SAMPLE_RATE
    inside = np.zeros(len(centres), bool)
    for start, finish in speech.spans:
        inside |= (centres >= start) & (centres < finish)
    return np.flatnonzero(inside)

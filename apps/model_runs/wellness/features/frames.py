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

_CHUNK = 2_000  # frames at a time, so that memory does not grow with the recording

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of speech, in order; stretches without speech are left out.

    `index` (n,) is each frame's number on the 10 ms grid (its centre lies at (index + .5) * 10 ms),
    `power` (n, 513) its power spectrum, `autocorrelation` (n, LONGEST_LAG) is normalised to 1 at lag 0 with
    the window's own shape divided out (Boersma 1993), `peak` (n,) is the greatest absolute sample.
    """

    index: NDArray[np.int64]
    power: Array
    autocorrelation: Array
    peak: Array


def analyse_frames(samples: Samples, speech: Speech) -> Frames:
    """Windowed spectra of every frame whose centre lies in a span of speech."""
    index = _speech_frames(len(samples), speech)
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    shape = _autocorrelation(np.abs(np.fft.rfft(window, FFT_SIZE)) ** 2)
    shape = (shape / shape[0]).astype(np.float32)
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
        lags = _autocorrelation(power[part])
        energy = np.maximum(lags[:, :1], np.float32(1e-20))
        correlation[part] = lags / energy / shape
    return Frames(index, power, correlation, peak)


def smooth(values: Array, width: int) -> Array:
    """Centred moving average of odd `width`; the ends repeat the first and last value."""
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width, np.float32), mode="valid").astype(np.float32)


def _autocorrelation(power: Array) -> Array:
    return np.asarray(np.fft.irfft(power, FFT_SIZE)[..., :LONGEST_LAG], np.float32)


def _speech_frames(sample_count: int, speech: Speech) -> NDArray[np.int64]:
    centres = (np.arange(sample_count // HOP) + 0.5) * HOP / SAMPLE_RATE
    inside = np.zeros(len(centres), bool)
    for start, finish in speech.spans:
        inside |= (centres >= start) & (centres < finish)
    return np.flatnonzero(inside)

"""Synthetic voices whose pitch, evenness, noise, spectrum and formants are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples, Speech

Signal = NDArray[np.float64]


def voice(
    seconds: float,
    f0: float | Signal,
    *,
    level: Callable[[Signal], Signal] = lambda hertz: -12 * np.log2(np.maximum(hertz, 1) / 100),
    jitter: float = 0.0,
    shimmer_db: float = 0.0,
    seed: int = 1,
) -> Samples:
    """A sum of harmonics of `f0` (Hz, or one value a sample); `level` gives a harmonic's level in dB by its frequency.

    `jitter` and `shimmer_db` are the standard deviations of each cycle's length (a share) and level, drawn anew and
    independently for each cycle.
    """
    count = round(seconds * SAMPLE_RATE)
    pitch = np.broadcast_to(np.asarray(f0, float), (count,))
    phase = np.cumsum(pitch) / SAMPLE_RATE
    rng = np.random.default_rng(seed)
    cycles = int(phase[-1]) + 2
    # Each cycle is stretched as a whole: in phase, its end moves to where its own length puts it.
    lengths = 1 + jitter * rng.standard_normal(cycles)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    phase = np.interp(phase, ends, np.arange(cycles + 1))
    # The pulse stands at whole phases, so a level changes half-way between two pulses.
    levels = (shimmer_db * rng.standard_normal(cycles + 1))[(phase + 0.5).astype(int)]
    mean_pitch = float(pitch.mean())
    result = np.zeros(count)
    for number in range(1, int(7_600 / float(pitch.max())) + 1):
        amplitude = 10 ** (float(level(np.array([number * mean_pitch]))[0]) / 20)
        result += amplitude * np.cos(2 * np.pi * number * phase)
    return normal(result * 10 ** (levels / 20))


def with_formants(samples: Samples, formants: Sequence[float], width: float = 80.0) -> Samples:
    """The samples through one resonance for each formant (Hz), each of the same width (Hz)."""
    frequency = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    unit = np.exp(-2j * np.pi * frequency / SAMPLE_RATE)
    response = np.ones(len(frequency), complex)
    radius = np.exp(-np.pi * width / SAMPLE_RATE)
    for formant in formants:
        pole = radius * np.exp(2j * np.pi * formant / SAMPLE_RATE)
        response /= (1 - pole * unit) * (1 - np.conj(pole) * unit)
    return normal(np.fft.irfft(np.fft.rfft(samples) * response, len(samples)))


def with_noise(samples: Samples, snr_db: float, seed: int = 1) -> Samples:
    noise = np.random.default_rng(seed).standard_normal(len(samples))
    noise *= np.sqrt(np.mean(samples.astype(float) ** 2)) * 10 ** (-snr_db / 20)
    return normal(samples + noise)


def normal(signal: Signal) -> Samples:
    return np.asarray(signal * (0.3 / np.abs(signal).max()), np.float32)


def spoken(samples: Samples, spans: Sequence[tuple[float, float]] | None = None) -> Speech:
    """All of the samples as speech, or the given spans."""
    found = tuple(spans) if spans is not None else ((0.0, len(samples) / SAMPLE_RATE),)
    voiced = np.ones(len(samples) // 160, bool)
    return Speech(found, sum(finish - start for start, finish in found), voiced)

"""Voices as nobody speaks in a check: whispered, shouted, sung, a child's, a machine's, two at once, not English.

All are made at run time from recordings of ordinary speech (mono float32 at 16 kHz), by a vocoder: the shape of the
mouth is kept as the envelope of linear prediction, the larynx is replaced. Every function gives the same result on
every call.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples
from tests import audio
from tests.model_runs.wellness.voices import Signal, normal

_FRAME, _HOP = 480, 120  # 30 ms every 7.5 ms
_ORDER = 18  # of the linear prediction: eight formants and the tilt


def whispered(samples: Samples, seed: int = 1) -> Samples:
    """The larynx stands open: only breath sounds in the mouth, and its low end is weak (Tartter 1989)."""
    noise = np.random.default_rng(seed).standard_normal(len(samples))
    return normal(_tilted(_vocoded(samples, noise), 0.5))


def shouted(samples: Samples) -> Samples:
    """Eight semitones higher, the upper harmonics stronger, the tops cut by the microphone."""
    return audio.clip(normal(_tilted(raised(samples, 1.6), 1.0)), 18)


def sung(samples: Samples, slowness: float = 1.6) -> Samples:
    """Each syllable held on a note of a slow tune, with a vibrato of 5.5 Hz and half a semitone."""
    slow = _slower(samples, slowness)
    times = np.arange(len(slow)) / SAMPLE_RATE
    tune = np.array([0, 4, 7, 12, 11, 7, 9, 5, 4, 2])
    note = tune[(times / 0.8).astype(int) % len(tune)] + 0.5 * np.sin(2 * np.pi * 5.5 * times)
    return normal(_vocoded(slow, _pulses(220 * 2 ** (note / 12))))


def childlike(samples: Samples) -> Samples:
    """Pitch and formants of a mouth of five eighths of a man's: a child of about five."""
    return audio.faster(samples, 1.6)


def synthetic(samples: Samples, hertz: float = 120.0) -> Samples:
    """A text-to-speech machine of the old kind: the words on one pitch, every cycle like the last."""
    return normal(_vocoded(samples, _pulses(np.full(len(samples), hertz))))


def raised(samples: Samples, factor: float) -> Samples:
    """The same words at the same pace, with a flat pitch of 110 Hz times `factor` that falls at each clause's end."""
    times = np.arange(len(samples)) / SAMPLE_RATE
    return normal(_vocoded(samples, _pulses(110 * factor * 2 ** (0.25 * np.sin(2 * np.pi * times / 1.7)))))


def foreign(samples: Samples) -> Samples:
    """Each quarter of a second played backwards: the sounds and melody of speech, in words of no language."""
    length = SAMPLE_RATE // 4
    return np.concatenate([samples[start : start + length][::-1] for start in range(0, len(samples), length)])


def taking_turns(first: Samples, second: Samples, seconds: float = 2.0) -> Samples:
    """Two speakers by turns of so many seconds."""
    length, count = round(seconds * SAMPLE_RATE), min(len(first), len(second))
    turns = (np.arange(count) // length % 2).astype(bool)
    return np.where(turns, second[:count], first[:count]).astype(np.float32)


def _vocoded(samples: Samples, excitation: Signal) -> Signal:
    """`excitation` through the all-pole envelope of each frame of `samples` (Makhoul 1975), overlapped and added."""
    window = np.hanning(_FRAME + 1)[:_FRAME]
    starts = np.arange(0, len(samples) - _FRAME, _HOP)
    place = starts[:, None] + np.arange(_FRAME)
    power = np.square(np.abs(np.fft.rfft(samples[place].astype(float) * window, 1024, axis=1)))
    correlation = np.fft.irfft(power, axis=1)[:, : _ORDER + 1]
    correlation[:, 0] = correlation[:, 0] * 1.0001 + 1e-9
    lags = np.abs(np.subtract.outer(np.arange(_ORDER), np.arange(_ORDER)))
    weights = np.linalg.solve(correlation[:, lags], correlation[:, 1:, None])[:, :, 0]
    gain = np.sqrt(np.maximum(correlation[:, 0] - (weights * correlation[:, 1:]).sum(axis=1), 1e-12))
    inverse = np.fft.rfft(np.column_stack([np.ones(len(starts)), -weights]), 1024, axis=1)
    source = excitation[place] * window
    source /= np.sqrt(np.mean(source**2, axis=1, keepdims=True)) + 1e-9
    frames = np.fft.irfft(np.fft.rfft(source, 1024, axis=1) * gain[:, None] / inverse, axis=1)[:, :_FRAME]
    result = np.zeros(len(samples))
    np.add.at(result, place, frames * window)
    return result


def _pulses(hertz: NDArray[np.float64]) -> Signal:
    """One pulse a cycle of `hertz` (one value a sample)."""
    return np.diff(np.floor(np.cumsum(hertz) / SAMPLE_RATE), prepend=0.0)


def _tilted(signal: NDArray[np.floating], exponent: float) -> Signal:
    """Level rising by about 6 * `exponent` dB an octave above 100 Hz."""
    frequency = np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE)
    return np.fft.irfft(np.fft.rfft(signal) * np.maximum(frequency / 1_000, 0.1) ** exponent, len(signal))


def _slower(samples: Samples, factor: float) -> Samples:
    """Longer by `factor`, formants kept: frames laid further apart. The larynx is spoilt, which `sung` replaces."""
    window = np.hanning(_FRAME + 1)[:_FRAME]
    result = np.zeros(round(len(samples) * factor) + _FRAME)
    for start in range(0, len(result) - _FRAME, _HOP):
        origin = min(round(start / factor), len(samples) - _FRAME)
        result[start : start + _FRAME] += window * samples[origin : origin + _FRAME]
    return result[: round(len(samples) * factor)].astype(np.float32)

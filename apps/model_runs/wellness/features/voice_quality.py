"""Voice quality: cycle-to-cycle evenness, harmonics against noise, harmonic levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.features.frames import BIN_HZ, HOP, Array, Frames
from apps.model_runs.wellness.features.pitch import Pitch
from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples

_CYCLE_FFT = 1_024  # holds two periods of the lowest pitch and the search around them
_SEARCH = 0.15  # how far, as a share, a period may lie from the tracked one
_LONGEST_CYCLE = 272  # samples: 16,000 / 60 Hz and a little
_GREATEST_RATIO = 1.25  # successive periods further apart than this are tracking errors (Titze 1993)
_GREATEST_AMPLITUDE_RATIO = 1.6


def measure_voice_quality(
    samples: Samples, frames: Frames, pitch: Pitch, power: Array, third_formant: float
) -> dict[str, float]:
    """Jitter, shimmer, harmonics-to-noise ratio, H1-H2 and H1-A3 of the voiced frames."""
    r = np.clip(pitch.periodicity[pitch.voiced], 1e-4, 1 - 1e-4)
    hnr = 10 * np.log10(r / (1 - r))
    f0 = pitch.f0[pitch.voiced]
    first, second = _harmonic_level(power, f0, 1), _harmonic_level(power, f0, 2)
    jitter, shimmer = _perturbation(samples, frames, pitch)
    return {
        "jitter": jitter,
        "shimmer": shimmer,
        "hnr": float(np.median(hnr)),
        "hnrSpread": float(np.std(hnr)),
        "h1h2": float(np.mean(first - second)),
        "h1a3": float(np.mean(first - _peak_near(power, third_formant))),
    }


def _harmonic_level(power: Array, f0: Array, number: int) -> Array:
    """Level in dB of a harmonic: the strongest bin within a third of f0 around it (at least two bins)."""
    centre = number * f0 / BIN_HZ
    reach = np.maximum(f0 / 3 / BIN_HZ, 2.0)
    offsets = np.arange(-13, 14)
    bins = np.clip(np.rint(centre)[:, None].astype(np.int64) + offsets, 0, power.shape[1] - 1)
    near = np.abs(bins - centre[:, None]) <= reach[:, None]
    levels = np.where(near, power[np.arange(len(power))[:, None], bins], 0)
    return np.asarray(10 * np.log10(levels.max(axis=1)), np.float32)


def _peak_near(power: Array, frequency: float) -> Array:
    if not np.isfinite(frequency):
        return np.full(len(power), np.nan, np.float32)
    low, high = int(0.85 * frequency / BIN_HZ), int(1.15 * frequency / BIN_HZ) + 1
    return np.asarray(10 * np.log10(power[:, low:high].max(axis=1)), np.float32)


def _perturbation(samples: Samples, frames: Frames, pitch: Pitch) -> tuple[float, float]:
    """Jitter (share) and shimmer (dB) over all successive cycles; NaN without any."""
    starts, lengths, run = _cycles(frames, pitch)
    fits = starts + 4 * _LONGEST_CYCLE < len(samples)
    starts, lengths, run = starts[fits], lengths[fits], run[fits]
    starts = _around_peaks(samples, starts, lengths)
    if len(starts) < 3:
        return float("nan"), float("nan")
    periods = _measure_periods(samples, starts, lengths)
    amplitudes = _peak_to_peak(samples, starts, lengths)
    neighbours = run[1:] == run[:-1]
    ratio = periods[1:] / periods[:-1]
    even = neighbours & (ratio < _GREATEST_RATIO) & (ratio > 1 / _GREATEST_RATIO)
    step = np.abs(np.log(amplitudes[1:] / amplitudes[:-1]))
    level = even & (step < np.log(_GREATEST_AMPLITUDE_RATIO))
    jitter = float(np.abs(np.diff(periods))[even].mean() / periods.mean()) if even.any() else float("nan")
    shimmer = float(20 / np.log(10) * step[level].mean()) if level.any() else float("nan")
    return jitter, shimmer


def _cycles(frames: Frames, pitch: Pitch) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
    """Cut each voiced stretch into cycles along the tracked pitch: first sample, tracked length, stretch."""
    voiced = pitch.voiced
    f0, run, index = pitch.f0[voiced], pitch.run[voiced], frames.index[voiced]
    # Sample by sample: the pitch is a straight line between frame centres of one stretch.
    ramp = (np.arange(HOP, dtype=np.float32) + 0.5) / HOP - 0.5
    before = np.where(np.r_[False, run[1:] == run[:-1]], np.r_[0, np.diff(f0)], 0)
    after = np.where(np.r_[run[1:] == run[:-1], False], np.r_[np.diff(f0), 0], 0)
    slope = np.where(ramp[None, :] < 0, before[:, None], after[:, None])
    contour = (f0[:, None] + slope * ramp).ravel()
    phase = np.cumsum(contour.astype(np.float64) / SAMPLE_RATE)
    sample_run = np.repeat(run, HOP)
    position = (index[:, None] * HOP + np.arange(HOP)).ravel()
    turn = np.flatnonzero(np.diff(np.floor(phase)) > 0) + 1
    lengths = (SAMPLE_RATE / contour[turn]).astype(np.float32)
    return position[turn], lengths, sample_run[turn]


def _around_peaks(samples: Samples, starts: NDArray[np.int64], lengths: Array) -> NDArray[np.int64]:
    """Moves each cycle so that its greatest sample is in its middle: a cut through the pulse would mix two periods."""
    views = np.lib.stride_tricks.sliding_window_view(samples, _LONGEST_CYCLE)
    inside = np.arange(_LONGEST_CYCLE) < lengths[:, None]
    peak = np.where(inside, np.abs(views[starts]), -1).argmax(axis=1)
    return np.asarray(np.maximum(starts + peak - (lengths / 2).astype(np.int64), 0), np.int64)


def _measure_periods(samples: Samples, starts: NDArray[np.int64], lengths: Array) -> Array:
    """Length in samples of each cycle: where the next stretch resembles it best (normalised correlation)."""
    periods = np.empty(len(starts), np.float32)
    reach = int(_LONGEST_CYCLE * (1 + _SEARCH)) + 2
    span = _LONGEST_CYCLE + reach
    views = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (0, span)), span)
    offsets = np.arange(span)
    for begin in range(0, len(starts), 4_000):
        part = slice(begin, begin + 4_000)
        block, length = views[starts[part]], lengths[part]
        inside = (offsets < length[:, None]).astype(np.float32)
        cycle = np.conj(np.fft.rfft(block * inside, _CYCLE_FFT))
        product = np.fft.irfft(cycle * np.fft.rfft(block, _CYCLE_FFT), _CYCLE_FFT)[:, :reach]
        sums = np.pad(np.cumsum(block.astype(np.float64) ** 2, axis=1), ((0, 0), (1, 0)))
        whole = np.rint(length).astype(np.int64)[:, None]
        lag = np.arange(reach)
        rows = np.arange(len(block))[:, None]
        energy = sums[rows, np.minimum(lag + whole, span)] - sums[rows, np.broadcast_to(lag, product.shape)]
        score = product / np.sqrt(np.maximum(energy, 1e-12))
        near = np.abs(lag - length[:, None]) <= _SEARCH * length[:, None]
        best = np.clip(np.where(near, score, -np.inf).argmax(axis=1), 1, reach - 2)
        row = rows[:, 0]
        y0, y1, y2 = score[row, best - 1], score[row, best], score[row, best + 1]
        bend = y0 - 2 * y1 + y2
        shift = np.where(bend < 0, 0.5 * (y0 - y2) / np.where(bend < 0, bend, -1), 0)
        periods[part] = best + np.clip(shift, -0.5, 0.5)
    return periods


def _peak_to_peak(samples: Samples, starts: NDArray[np.int64], lengths: Array) -> Array:
    ends = starts + np.rint(lengths).astype(np.int64)
    edges = np.column_stack([starts, np.minimum(ends, len(samples) - 1)]).ravel()
    high = np.maximum.reduceat(samples, edges)[::2]
    low = np.minimum.reduceat(samples, edges)[::2]
    return np.asarray(np.maximum(high - low, 1e-9), np.float32)

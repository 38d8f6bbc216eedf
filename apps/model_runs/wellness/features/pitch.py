"""Pitch: autocorrelation candidates and the cheapest path through them (Boersma 1993)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.features.frames import (
    HIGHEST_PITCH,
    HOP,
    LONGEST_LAG,
    LOWEST_PITCH,
    Array,
    Frames,
    smooth,
)
from apps.model_runs.wellness.interface import SAMPLE_RATE

# The costs are those of Boersma 1993, for a step of 10 ms.
_VOICING_THRESHOLD = 0.45
_FLATTENED_THRESHOLD = 0.33  # finds as many voiced frames in a flattened spectrum
_SILENCE_THRESHOLD = 0.03
_OCTAVE_COST = 0.01
_OCTAVE_JUMP_COST = 0.35
_VOICING_CHANGE_COST = 0.14
_CANDIDATES = 4  # besides "unvoiced"

_FRAME_SECONDS = HOP / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Pitch:
    """Pitch of each frame of speech: `f0` (n,) in Hz, 0 where unvoiced; `periodicity` (n,) is the height of
    the autocorrelation at the period, 0..1; `run` (n,) numbers the unbroken voiced stretches, -1 elsewhere."""

    f0: Array
    periodicity: Array
    run: NDArray[np.int64]

    @property
    def voiced(self) -> NDArray[np.bool_]:
        return self.f0 > 0


def track_pitch(frames: Frames) -> Pitch:
    """Follow the pitch through all frames of speech."""
    count = len(frames.index)
    if count == 0:
        empty = np.zeros(0, np.float32)
        return Pitch(empty, empty, np.zeros(0, np.int64))
    flat = frames.flattened is not None
    threshold = _FLATTENED_THRESHOLD if flat else _VOICING_THRESHOLD
    lags, heights = _candidates(frames.autocorrelation if frames.flattened is None else frames.flattened, threshold)
    # Boersma compares with the loudest sample of all; a high percentile does not hang on one click.
    loudest = max(float(np.percentile(frames.peak, 95)), 1e-9)
    silence = _SILENCE_THRESHOLD / (1 + threshold)
    unvoiced = threshold + np.maximum(0.0, 2 - frames.peak / loudest / silence)
    with np.errstate(divide="ignore", invalid="ignore"):
        octaves = np.where(lags > 0, np.log2(lags * (LOWEST_PITCH / SAMPLE_RATE)), 0.0)
    strengths = np.where(lags > 0, heights - _OCTAVE_COST * octaves, -np.inf)
    path = _best_path(np.column_stack([unvoiced, strengths]), octaves)
    rows = np.arange(count)
    voiced = path > 0
    column = np.maximum(path - 1, 0)
    period = np.where(voiced, lags[rows, column], 1)
    f0 = np.where(voiced, SAMPLE_RATE / period, 0).astype(np.float32)
    found = _height_at(frames.autocorrelation, period) if flat else heights[rows, column]
    periodicity = np.where(voiced, found, 0).astype(np.float32)
    starts = voiced & ~(np.r_[False, voiced[:-1]] & np.r_[False, np.diff(frames.index) == 1])
    return Pitch(f0, periodicity, np.where(voiced, np.cumsum(starts) - 1, -1))


def measure_pitch(frames: Frames, pitch: Pitch) -> dict[str, float]:
    """Level, spread and movement of pitch; the voiced share of speech. Needs at least one voiced frame."""
    semitones = 12 * np.log2(pitch.f0[pitch.voiced] / 27.5)
    median = float(np.median(semitones))
    # An octave error of the tracker must not count as liveliness.
    near = semitones[np.abs(semitones - median) < 12]
    slopes = contour_slopes(semitones.astype(np.float32), pitch.run[pitch.voiced])
    # Faster than 150 semitones a second no larynx moves; such steps are tracking errors.
    slopes = slopes[np.abs(slopes) < 150]
    rising, falling = slopes[slopes > 0], slopes[slopes < 0]
    return {
        "pitchMedian": median,
        "pitchLow": float(np.percentile(semitones, 20)),
        "pitchHigh": float(np.percentile(semitones, 80)),
        "pitchSpread": float(np.std(near)),
        "pitchMovement": float(np.mean(np.abs(slopes))) if len(slopes) else np.nan,
        "pitchRise": float(np.mean(rising)) if len(rising) else np.nan,
        "pitchFall": float(-np.mean(falling)) if len(falling) else np.nan,
        "voicedShare": float(np.mean(pitch.voiced)),
    }


def contour_slopes(values: Array, run: NDArray[np.int64]) -> Array:
    """Slopes per second of a contour over voiced frames, each within one unbroken stretch of at least 50 ms."""
    lengths = np.bincount(run) if len(run) else np.zeros(0, int)
    pieces = np.split(values, np.cumsum(lengths)[:-1]) if len(lengths) else []
    slopes = [np.diff(smooth(piece, 5)) / _FRAME_SECONDS for piece in pieces if len(piece) >= 5]
    return np.concatenate(slopes) if slopes else np.zeros(0, np.float32)


def _candidates(correlation: Array, threshold: float) -> tuple[Array, Array]:
    """Lags (samples, between samples by a parabola; 0 for none) and heights of the best maxima: (n, 4) each."""
    first, last = int(SAMPLE_RATE / HIGHEST_PITCH), LONGEST_LAG - 2
    middle = correlation[:, first : last + 1]
    left, right = correlation[:, first - 1 : last], correlation[:, first + 1 : last + 2]
    lag_cost = _OCTAVE_COST * np.log2(np.arange(first, last + 1) * (LOWEST_PITCH / SAMPLE_RATE))
    is_peak = (middle > left) & (middle >= right) & (middle > 0.5 * threshold)
    ranked = np.where(is_peak, middle - lag_cost.astype(np.float32), -np.inf)
    best = np.argpartition(ranked, -_CANDIDATES, axis=1)[:, -_CANDIDATES:]
    best.sort(axis=1)  # a fixed order, so that equal input gives equal paths
    rows = np.arange(len(correlation))[:, None]
    found = is_peak[rows, best]
    y0, y1, y2 = left[rows, best], middle[rows, best], right[rows, best]
    bend = np.where(found, y0 - 2 * y1 + y2, -1.0)
    shift = np.where(found, 0.5 * (y0 - y2) / np.where(bend < 0, bend, -1.0), 0.0)
    lags = np.where(found, best + first + shift, 0.0)
    heights = np.clip(y1 - 0.25 * (y0 - y2) * shift, 0.0, 1.0)
    return lags.astype(np.float32), np.where(found, heights, 0.0).astype(np.float32)


def _height_at(correlation: Array, lags: Array) -> Array:
    """Height (n,) of the maximum next to each frame's lag, between samples by a parabola, 0..1."""
    rows, near = np.arange(len(lags)), np.clip(np.round(lags).astype(int), 1, LONGEST_LAG - 2)
    y0, y1, y2 = (correlation[rows, near + step] for step in (-1, 0, 1))
    bend = y0 - 2 * y1 + y2
    shift = np.clip(np.where(bend < 0, 0.5 * (y0 - y2) / np.where(bend < 0, bend, -1.0), 0.0), -1.0, 1.0)
    return np.asarray(np.clip(y1 - 0.25 * (y0 - y2) * shift, 0.0, 1.0), np.float32)


def _best_path(strengths: NDArray[np.float64], octaves: NDArray[np.float64]) -> NDArray[np.int64]:
    """Viterbi: column 0 is "unvoiced", the others the candidates. Returns the column of each frame."""
    count, states = strengths.shape
    jump = np.empty((count, states, states), np.float32)
    jump[:, 0, :] = jump[:, :, 0] = _VOICING_CHANGE_COST
    jump[:, 0, 0] = 0
    jump[1:, 1:, 1:] = _OCTAVE_JUMP_COST * np.abs(octaves[:-1, :, None] - octaves[1:, None, :])
    score = strengths[0].astype(np.float64)
    back = np.zeros((count, states), np.int64)
    for frame in range(1, count):
        reached = score[:, None] - jump[frame]
        origin = reached.argmax(axis=0)
        back[frame] = origin
        score = reached.max(axis=0) + strengths[frame]
    path = np.empty(count, np.int64)
    path[-1] = score.argmax()
    for frame in range(count - 1, 0, -1):
        path[frame - 1] = back[frame, path[frame]]
    return path

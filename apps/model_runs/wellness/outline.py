"""What a recording looked like, small enough to keep with its results: loudness, speech and pitch over its length."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from apps.model_runs.wellness.features import Tracked
from apps.model_runs.wellness.features.frames import HOP
from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples, Speech

MOST_POINTS = 600  # of each of the three


def outline(samples: Samples, speech: Speech, tracked: Tracked | None = None) -> dict[str, Any]:
    """`{"seconds", "envelope", "speech", "pitch"}` of a recording (mono, SAMPLE_RATE), ready for JSON.

    `envelope` (n <= MOST_POINTS) is the greatest absolute sample of each of n equal parts, 0..1. `speech` are spans
    `[start, finish]` in seconds; those nearer to each other than a part are one. `pitch` (n,) is the median of each
    part in Hz, None where there is none; without `tracked` it is None altogether.
    """
    frames = -(-len(samples) // HOP)
    loudest = np.abs(np.pad(samples, (0, frames * HOP - len(samples)))).reshape(-1, HOP).max(axis=1)
    count = min(frames, MOST_POINTS)
    starts = np.arange(count) * frames // max(count, 1)
    seconds = len(samples) / SAMPLE_RATE
    return {
        "seconds": round(seconds, 2),
        "envelope": [round(float(value), 3) for value in (np.maximum.reduceat(loudest, starts) if count else ())],
        "speech": _joined(speech.spans, seconds / max(count, 1)),
        "pitch": None if tracked is None else _pitch(tracked, starts),
    }


def _joined(spans: tuple[tuple[float, float], ...], gap: float) -> list[list[float]]:
    found: list[list[float]] = []
    for start, finish in spans:
        if found and start - found[-1][1] < gap:
            found[-1][1] = finish
        else:
            found.append([start, finish])
    return found


def _pitch(tracked: Tracked, starts: np.ndarray) -> list[float | None]:
    voiced = tracked.pitch.voiced
    part = np.searchsorted(starts, tracked.frames.index[voiced], side="right") - 1
    hertz = tracked.pitch.f0[voiced]  # in order of time, as is `part`
    edges = np.searchsorted(part, np.arange(len(starts) + 1))
    return [round(float(np.median(hertz[first:last])), 1) if last > first else None for first, last in pairwise(edges)]

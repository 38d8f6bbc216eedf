"""Rhythm: syllable nuclei (de Jong 2009), rates and pauses."""

from __future__ import annotations

import numpy as np

from apps.model_runs.wellness.features.frames import BIN_HZ, Frames, smooth
from apps.model_runs.wellness.features.pitch import Pitch
from apps.model_runs.wellness.interface import Speech

_DIP = 2.0  # dB: the level must fall by this much between two nuclei
_LOW_BIN, _HIGH_BIN = int(300 / BIN_HZ), int(3_300 / BIN_HZ)  # vowels, without the pitch itself and hiss


def measure_rhythm(frames: Frames, pitch: Pitch, speech: Speech) -> dict[str, float]:
    """Rates per second and the lengths of pauses; a pause is what lies between two spans of speech."""
    nuclei = _count_nuclei(frames, pitch)
    first, last = speech.spans[0][0], speech.spans[-1][1]
    whole = max(last - first, 1e-9)
    spans = np.array(speech.spans)
    pauses = spans[1:, 0] - spans[:-1, 1]
    return {
        "speechRate": nuclei / whole,
        "articulationRate": nuclei / max(speech.speech_seconds, 1e-9),
        "pauseShare": float(pauses.sum()) / whole,
        "pauseMean": float(pauses.mean()) if len(pauses) else 0.0,
        "pauseSpread": float(pauses.std()) if len(pauses) else 0.0,
        "pauseRate": 60 * len(pauses) / whole,
    }


def _count_nuclei(frames: Frames, pitch: Pitch) -> int:
    """Voiced peaks of the level that stand at least 2 dB above the dips around them."""
    energy = frames.power[:, _LOW_BIN:_HIGH_BIN].sum(axis=1)
    top = float(np.percentile(energy, 95))
    level = smooth((10 * np.log10(np.maximum(energy, 1e-6 * top + 1e-20))).astype(np.float32), 5)
    count, rising = 0, True
    peak, peak_frame, dip = -np.inf, 0, np.inf
    loud = 10 * np.log10(top + 1e-20) - 25  # a nucleus further under the loudest is an echo or a breath
    for frame, value in enumerate(level.tolist()):
        if rising:
            if value > peak:
                peak, peak_frame = value, frame
            elif peak - value >= _DIP:
                count += bool(pitch.f0[peak_frame] > 0 and peak > loud)
                rising, dip = False, value
        elif value < dip:
            dip = value
        elif value - dip >= _DIP:
            rising, peak, peak_frame = True, value, frame
    return count

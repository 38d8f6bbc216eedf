"""Voice features: level-free measures of pitch, loudness, spectrum, voice quality, formants and rhythm.

`registry` names, explains and cites every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.model_runs.wellness.features.formants import measure_formants
from apps.model_runs.wellness.features.frames import Frames, analyse_frames
from apps.model_runs.wellness.features.pitch import Pitch, measure_pitch, track_pitch
from apps.model_runs.wellness.features.registry import FEATURES
from apps.model_runs.wellness.features.rhythm import measure_rhythm
from apps.model_runs.wellness.features.spectrum import measure_loudness, measure_spectrum, voiced_spectra
from apps.model_runs.wellness.features.voice_quality import measure_voice_quality
from apps.model_runs.wellness.interface import Samples, Speech

_FEWEST_VOICED = 10  # frames: below a tenth of a second there is no voice to measure (a whisper has none)


@dataclass(frozen=True, slots=True)
class Tracked:
    """Spectra and pitch of a recording's speech, which cost more than everything that is read from them."""

    frames: Frames
    pitch: Pitch


def track(samples: Samples, speech: Speech) -> Tracked:
    """Follow the pitch through `samples`, mono at 16 kHz in -1..1."""
    frames = analyse_frames(samples, speech)
    return Tracked(frames, track_pitch(frames))


def extract(samples: Samples, speech: Speech, tracked: Tracked | None = None) -> dict[str, float]:
    """Measure every feature of `registry.FEATURES`, in its order; NaN where it cannot be measured.

    `samples` is mono at 16 kHz in -1..1, `tracked` what `track` made of it, if that is there already. Only frames
    inside `speech.spans` are looked at, and no value depends on the recording's level or on what surrounds the speech.
    """
    values = dict.fromkeys((feature.name for feature in FEATURES), float("nan"))
    tracked = tracked or track(samples, speech)
    frames, pitch = tracked.frames, tracked.pitch
    if not len(frames.index):
        return values
    values |= measure_rhythm(frames, pitch, speech)
    values["voicedShare"] = float(pitch.voiced.mean())
    if pitch.voiced.sum() < _FEWEST_VOICED:
        return values
    power = voiced_spectra(frames, pitch)
    formants = measure_formants(power)
    values |= measure_pitch(frames, pitch)
    values |= measure_loudness(power, pitch)
    values |= measure_spectrum(power, frames, pitch)
    values |= formants
    values |= measure_voice_quality(samples, frames, pitch, power, formants["f3"])
    return values

"""How far a score can be trusted: an interval, a level, and the class of evidence behind it.

The interval is repeatability, not accuracy: with a chance of 80 % it holds the value that the model would give to
the whole clean recording of the same voice in the same state. What kind of labels the model learnt from caps the
level, since a model can be repeatably wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from apps.model_runs.wellness.fusion import AUTHORED_WORDS, Fused
from apps.model_runs.wellness.heads import Vector, VoiceModel, VoiceReading
from apps.model_runs.wellness.interface import DIMENSIONS, Quality, Recording, Speech
from apps.model_runs.wellness.scores import MENTAL_STRAIN, to_share

LOW, MEDIUM, HIGH = "LOW", "MEDIUM", "HIGH"
# Weakest first: mentalStrain is no better founded than the weakest score in it.
EVIDENCE_CLASSES = ("literature_index", AUTHORED_WORDS, "acted_proxy", "customer_trained", "trained")
LEVEL_CAPS = {
    "literature_index": LOW,
    AUTHORED_WORDS: MEDIUM,
    "acted_proxy": MEDIUM,
    "customer_trained": HIGH,
    "trained": HIGH,
}

CONDITIONS = ("little speech", "noise", "narrow band", "lossy codec", "distance from the peers")
_LONG_SECONDS = 30.0
_CLEAN_SNR_DB = 30.0
_WIDE_BAND_HZ = 6_000.0
_LOSSLESS = ("pcm", "flac", "alac", "wavpack")

_NARROW, _WIDE = 0.2, 0.4  # widths of the interval up to which a level is HIGH, MEDIUM

# Where nothing is known of a person, 80 % of the peers lie between these.
_UNKNOWN = (0.1, 0.9)
# Widths in logits that no data of ours can calibrate, since nobody speaks freely in it: how much else the same person
# might have said, and what it means when voice and words contradict each other.
_WORDS_SHARE = 0.25
_DISAGREEMENT_SHARE = 0.5


def conditions(seconds: Any, snr_db: Any, bandwidth_hz: Any, lossy: Any, distance: Any) -> Vector:
    """How far a recording is from a long clean one, each of CONDITIONS from 0 up; (…, 5) for arrays (…,)."""
    return np.stack(
        [
            np.log(np.maximum(_LONG_SECONDS / np.maximum(seconds, 0.5), 1.0)),
            np.maximum(_CLEAN_SNR_DB - np.asarray(snr_db), 0.0) / 10,
            np.clip((_WIDE_BAND_HZ - np.asarray(bandwidth_hz)) / 2_500, 0.0, 1.0),
            np.asarray(lossy, float),
            np.maximum(np.asarray(distance) - 1.0, 0.0),
        ],
        axis=-1,
    )


def conditions_of(recording: Recording, speech: Speech, quality: Quality, reading: VoiceReading) -> Vector:
    """`conditions` (5,) of one recording; a noise that could not be measured counts as none."""
    snr = _CLEAN_SNR_DB if quality.snr_db is None else quality.snr_db
    lossy = not recording.codec.startswith(_LOSSLESS)
    return conditions(speech.speech_seconds, snr, quality.bandwidth_hz, lossy, reading.distance)


def evidence(fused: Mapping[str, Fused]) -> dict[str, str]:
    """The class of evidence of each of the six scores."""
    classes = {name: fused[name].evidence for name in DIMENSIONS}
    return {MENTAL_STRAIN: min(classes.values(), key=EVIDENCE_CLASSES.index), **classes}


def confidence(
    model: VoiceModel,
    fused: Mapping[str, Fused],
    values: Mapping[str, float],
    found: Vector,
    doubtful: bool,
    strange: bool,
    decimals: int,
) -> dict[str, dict[str, Any] | None]:
    """`{level, low, high}` for each of the six continuous `values`; low <= value <= high.

    `found` (5,) are the `conditions`. A `doubtful` recording has no level but LOW; of a `strange` one, such as no
    training heard, nothing is known but the score itself.
    """
    bounds = {name: _bounds(model, name, fused[name], found) for name in DIMENSIONS}
    # Where nothing was said the fixed value of self-esteem adds nothing that could vary.
    reach = [
        [0.0, 0.0] if fused[name].unknown else [values[name] - low, high - values[name]]
        for name, (low, high) in bounds.items()
    ]
    below, above = np.maximum(np.mean(reach, axis=0), 0.0) * model.strain_share
    strain = values[MENTAL_STRAIN]
    bounds = {MENTAL_STRAIN: (max(strain - below, 0.0), min(strain + above, 1.0)), **bounds}
    classes = evidence(fused)
    result: dict[str, dict[str, Any] | None] = {}
    for name, (low, high) in bounds.items():
        if strange:
            low, high = min(low, _UNKNOWN[0]), max(high, _UNKNOWN[1])
        low, high = min(values[name], round(low, decimals)), max(values[name], round(high, decimals))
        level = HIGH if high - low <= _NARROW else MEDIUM if high - low <= _WIDE else LOW
        if doubtful:
            level = LOW
        result[name] = {"level": _lower(level, LEVEL_CAPS[classes[name]]), "low": low, "high": high}
    return result


def _bounds(model: VoiceModel, name: str, fused: Fused, found: Vector) -> tuple[float, float]:
    """The interval of a score as shares of the peers."""
    if fused.unknown:
        return _UNKNOWN
    dimension = model.dimensions[name]
    low = high = 0.0
    if weight := dimension.voice_weight:
        low, high = (weight * end - fused.voice for end in stray(model, dimension.head, fused.voice / weight, found))
    clash = max(-np.sign(fused.voice) * fused.words, 0.0) if fused.spoken else 0.0
    spread = _WORDS_SHARE * abs(fused.words) + _DISAGREEMENT_SHARE * min(clash, abs(fused.voice))
    return to_share(fused.logit + min(low, 0.0) - spread), to_share(fused.logit + max(high, 0.0) + spread)


def stray(model: VoiceModel, head: str, value: Any, found: Vector) -> tuple[Any, Any]:
    """The two ends between which the whole clean recording's logit lies; `value` (…,), `found` (…, 5)."""
    law = model.straying[head]
    centre, spread = (1 + law.pull) * value, np.exp(law.base + found @ law.slopes)
    return centre + law.low * spread, centre + law.high * spread


def _lower(first: str, second: str) -> str:
    return min(first, second, key=(LOW, MEDIUM, HIGH).index)

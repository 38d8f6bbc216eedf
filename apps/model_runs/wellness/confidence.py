"""How far a score can be trusted: an interval, a level, and the class of evidence behind it.

The interval is repeatability, not accuracy: with a chance of 80 % it holds the value that the model would give to
a long clean recording of the same voice in the same state. What kind of labels the model learnt from caps the
level, since a model can be repeatably wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from apps.model_runs.wellness.heads import Vector, VoiceModel
from apps.model_runs.wellness.interface import DIMENSIONS
from apps.model_runs.wellness.scores import MENTAL_STRAIN

LOW, MEDIUM, HIGH = "LOW", "MEDIUM", "HIGH"
QUALITY_LEVELS = ("GOOD", "FAIR", "POOR")
# Weakest first: mentalStrain is no better founded than the weakest score in it.
EVIDENCE_CLASSES = ("literature_index", "authored_words", "acted_proxy", "customer_trained", "trained")
_CAPS = {
    "literature_index": LOW,
    "authored_words": MEDIUM,
    "acted_proxy": MEDIUM,
    "customer_trained": HIGH,
    "trained": HIGH,
}

_NARROW, _WIDE = 0.2, 0.4  # widths of the interval up to which a level is HIGH, MEDIUM
MISSING_LIMIT = 0.25  # a greater share of missing features makes the level LOW
_EDGE = 0.001  # keeps the logit of a score finite


def evidence(model: VoiceModel) -> dict[str, str]:
    """The class of evidence of each of the six scores."""
    classes = {name: model.dimensions[name].evidence for name in DIMENSIONS}
    return {MENTAL_STRAIN: min(classes.values(), key=EVIDENCE_CLASSES.index), **classes}


def confidence(
    model: VoiceModel,
    values: Mapping[str, float],
    speech_seconds: float,
    quality_level: str,
    missing_share: float,
    decimals: int,
) -> dict[str, dict[str, Any] | None]:
    """`{level, low, high}` for each score in `values` (its continuous value); low <= value <= high.

    `missing_share` is the share of features that could not be measured.
    """
    classes = evidence(model)
    result: dict[str, dict[str, Any] | None] = {}
    for name, value in values.items():
        below, above = _offsets(model, name, speech_seconds, quality_level)
        low = min(value, round(_shifted(value, below), decimals))
        high = max(value, round(_shifted(value, above), decimals))
        width = high - low
        level = HIGH if width <= _NARROW else MEDIUM if width <= _WIDE else LOW
        if missing_share > MISSING_LIMIT:
            level = LOW
        result[name] = {"level": _lower(level, _CAPS[classes[name]]), "low": low, "high": high}
    return result


def to_logit(value: float | Vector) -> Vector:
    """Logit of a share, kept finite."""
    inside = np.clip(value, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)), np.float64)


def _shifted(value: float, offset: float) -> float:
    return float(1 / (1 + np.exp(-(to_logit(value) + offset))))


def _offsets(model: VoiceModel, name: str, speech_seconds: float, quality_level: str) -> tuple[float, float]:
    """Offsets below (<= 0) and above (>= 0), on a straight line between the measured lengths, constant outside."""
    table = model.repeatability
    rows = table.offsets[name][quality_level]
    below, above = (float(np.interp(speech_seconds, table.seconds, rows[:, side])) for side in (0, 1))
    return below, above


def _lower(first: str, second: str) -> str:
    return min(first, second, key=(LOW, MEDIUM, HIGH).index)

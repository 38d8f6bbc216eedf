"""The reasons of a score: which measurements moved it, in plain words, with no claim about causes."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.model_runs.wellness.features.registry import BY_NAME
from apps.model_runs.wellness.heads import VoiceModel, VoiceReading
from apps.model_runs.wellness.interface import DIMENSIONS

MOST_REASONS = 5  # for one score
_LEAST_WEIGHT = 0.005  # logits: what moves a score by less is no reason

_GROUP_WORDS = {
    "MALE": "men in the reference",
    "FEMALE": "women in the reference",
    "POOLED": "all speakers in the reference",
}


def explain(model: VoiceModel, reading: VoiceReading) -> tuple[dict[str, Any], ...]:
    """At most five reasons for each of the five dimensions, the strongest first.

    `weight` is the feature's part of the logit; its sign is the `direction` in which the score moved.
    """
    group = model.groups[reading.group]
    reasons = []
    for score in DIMENSIONS:
        parts = np.where(np.isnan(reading.values), 0.0, reading.contributions[score])
        # Ties in size are broken by the feature's place, so that equal input gives equal reasons.
        order = np.argsort(-np.abs(parts), kind="stable")[:MOST_REASONS]
        for place in order:
            weight = float(parts[place])
            if abs(weight) < _LEAST_WEIGHT:
                break
            feature = BY_NAME[model.features[place]]
            value = float(reading.values[place])
            above = value > group.centre[place]
            reasons.append(
                {
                    "score": score,
                    "kind": "VOICE",
                    "feature": feature.name,
                    "value": round(value, 4),
                    "unit": feature.unit,
                    "referenceLow": round(float(group.low[place]), 4),
                    "referenceHigh": round(float(group.high[place]), 4),
                    "direction": "UP" if weight > 0 else "DOWN",
                    "weight": round(weight, 4),
                    "phrase": None,
                    "text": _sentence(feature.higher if above else feature.lower, reading.group, weight),
                }
            )
    return tuple(reasons)


def _sentence(observation: str, group: str, weight: float) -> str:
    effect = "higher" if weight > 0 else "lower"
    return f"{observation}, compared with {_GROUP_WORDS[group]}; the model counts this towards a {effect} score."

"""The reasons of a score: which measurements and which words moved it, in plain words, with no claim about causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from apps.model_runs.wellness.features.registry import BY_NAME
from apps.model_runs.wellness.fusion import Fused
from apps.model_runs.wellness.heads import VoiceModel, VoiceReading
from apps.model_runs.wellness.interface import DIMENSIONS
from apps.model_runs.wellness.words.reading import Said, WordReading

MOST_REASONS = 5  # for one score
_MOST_PHRASES = 2  # of them
_LEAST_WEIGHT = 0.005  # logits: what moves a score by less is no reason

_GROUP_WORDS = {
    "MALE": "men in the reference",
    "FEMALE": "women in the reference",
    "POOLED": "all speakers in the reference",
}

Reason = dict[str, Any]


def explain(
    model: VoiceModel, reading: VoiceReading, said: WordReading, fused: Mapping[str, Fused]
) -> tuple[Reason, ...]:
    """At most five reasons for each of the five dimensions, the strongest first.

    `weight` is the reason's part of the score's logit; its sign is the `direction` in which the score moved. A voice
    reason's part is that of the head's logit times the voice weight.
    """
    reasons: list[Reason] = []
    for score in DIMENSIONS:
        weight = model.dimensions[score].voice_weight
        found = [*_words(score, said.said[score], fused[score]), *_voice(model, reading, score, weight)]
        found.sort(key=lambda reason: -abs(reason["weight"]))  # stable: equal input gives equal reasons
        reasons += found[:MOST_REASONS]
    return tuple(reasons)


def _voice(model: VoiceModel, reading: VoiceReading, score: str, voice_weight: float) -> Iterator[Reason]:
    group = model.groups[reading.group]
    parts = np.where(np.isnan(reading.values), 0.0, reading.contributions[score]) * voice_weight
    for place in np.argsort(-np.abs(parts), kind="stable")[:MOST_REASONS]:
        weight = float(parts[place])
        if abs(weight) < _LEAST_WEIGHT:
            return
        feature = BY_NAME[model.features[place]]
        value = float(reading.values[place])
        observation = feature.higher if value > group.centre[place] else feature.lower
        yield {
            "score": score,
            "kind": "VOICE",
            "feature": feature.name,
            "value": round(value, 4),
            "unit": feature.unit,
            "referenceLow": round(float(group.low[place]), 4),
            "referenceHigh": round(float(group.high[place]), 4),
            "direction": _direction(weight),
            "weight": round(weight, 4),
            "phrase": None,
            "text": f"{observation}, compared with {_GROUP_WORDS[reading.group]}; {_counts(weight)}",
        }


def _words(score: str, said: Said, fused: Fused) -> Iterator[Reason]:
    """What the person said, the words' part of the score shared out among the phrases."""
    if not fused.spoken or abs(fused.words) < _LEAST_WEIGHT:
        return
    phrases = said.phrases[:_MOST_PHRASES]
    total = sum(abs(phrase.logit) for phrase in phrases)
    for phrase in phrases:
        weight = fused.words * (abs(phrase.logit) / total if total else 1 / len(phrases))
        yield {
            "score": score,
            "kind": "WORDS",
            "feature": None,
            "value": None,
            "unit": None,
            "referenceLow": None,
            "referenceHigh": None,
            "direction": _direction(weight),
            "weight": round(weight, 4),
            "phrase": phrase.text,
            "text": f"The person spoke of this state; {_counts(weight)}",
        }


def _direction(weight: float) -> str:
    return "UP" if weight > 0 else "DOWN"


def _counts(weight: float) -> str:
    return f"the model counts this towards a {'higher' if weight > 0 else 'lower'} score."

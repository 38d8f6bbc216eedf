"""The voice heads: logistic models over standardised features, read from a JSON file of weights.

One head a target. Each head has two sets of coefficients: one for people whose birth sex is known, whose
features are centred on speakers of that sex, and one for all others, which leaves out the features that mostly
tell the speaker's sex. A logit is measured from the median of its reference group: 0 is the middle of the peers.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.interface import DIMENSIONS

WEIGHTS_PATH = Path(__file__).parent / "weights" / "voice.json"
WEIGHTS_FORMAT = 1

MALE, FEMALE, POOLED = "MALE", "FEMALE", "POOLED"
GROUPS = (MALE, FEMALE, POOLED)
# Beyond four standard deviations a measurement is an accident of the recording; it must not decide alone.
Z_LIMIT = 4.0

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Group:
    """How the features lie among the reference speakers of one group; every array is (features,)."""

    centre: Vector
    scale: Vector
    low: Vector  # 10th percentile
    high: Vector  # 90th percentile


@dataclass(frozen=True, slots=True)
class Head:
    """One logistic model; by group: coefficients (features,), intercept, and 99 reference percentiles of its logit."""

    coefficients: Mapping[str, Vector]
    intercepts: Mapping[str, float]
    reference: Mapping[str, Vector]


@dataclass(frozen=True, slots=True)
class Dimension:
    """Where one score comes from: `gain` times the logit of `head`."""

    head: str
    gain: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Repeatability:
    """80 % offsets of the logit of a score, from shortened and disturbed held-out recordings.

    `offsets[score][quality level]` is (len(seconds), 2): how far below and above the value that the whole clean
    recording would give may lie, in logits of the score, for so many seconds of speech.
    """

    seconds: Vector
    offsets: Mapping[str, Mapping[str, Vector]]


@dataclass(frozen=True, slots=True)
class VoiceModel:
    """Everything that training produced; `warnings` are said with every result of this model."""

    version: str
    features: tuple[str, ...]
    groups: Mapping[str, Group]
    heads: Mapping[str, Head]
    dimensions: Mapping[str, Dimension]
    repeatability: Repeatability
    warnings: tuple[str, ...]
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VoiceReading:
    """What the heads say of one recording. `contributions[dimension]` (features,) add up to about its logit."""

    group: str
    values: Vector  # as measured, NaN where a feature could not be
    logits: dict[str, float]
    contributions: dict[str, Vector]

    @property
    def missing_share(self) -> float:
        return float(np.isnan(self.values).mean())


def group_of(birth_sex: str) -> str:
    """The reference group of a birth sex: its own for MALE and FEMALE, the pooled one for all others."""
    return birth_sex if birth_sex in (MALE, FEMALE) else POOLED


def standardise(values: NDArray[np.float64], group: Group) -> NDArray[np.float64]:
    """Features (…, features) in standard deviations from the group's centre; a missing one counts as usual (0)."""
    z = (values - group.centre) / group.scale
    return np.clip(np.nan_to_num(z, nan=0.0), -Z_LIMIT, Z_LIMIT)


def read_voice(model: VoiceModel, features: Mapping[str, float], birth_sex: str) -> VoiceReading:
    """Logit and contributions of each of the five dimensions."""
    group = group_of(birth_sex)
    values = np.array([features[name] for name in model.features])
    z = standardise(values, model.groups[group])
    logits, contributions = {}, {}
    for name in DIMENSIONS:
        dimension = model.dimensions[name]
        head = model.heads[dimension.head]
        parts = dimension.gain * z * head.coefficients[group]
        contributions[name] = parts
        logits[name] = float(parts.sum() + dimension.gain * head.intercepts[group])
    return VoiceReading(group, values, logits, contributions)


@functools.cache
def load_model(path: Path = WEIGHTS_PATH) -> VoiceModel:
    """Reads and checks a file of weights; ValueError says what does not fit."""
    return model_from_json(json.loads(path.read_text(encoding="utf-8")))


def model_from_json(data: Mapping[str, Any]) -> VoiceModel:
    """The model that a weights file holds. Raises ValueError on another format, KeyError on a missing part."""
    if data["format"] != WEIGHTS_FORMAT:
        raise ValueError(f"The weights are of format {data['format']}; this code reads format {WEIGHTS_FORMAT}.")
    model = VoiceModel(
        version=data["version"],
        features=tuple(data["features"]),
        groups={name: Group(**{k: np.array(v) for k, v in data["groups"][name].items()}) for name in GROUPS},
        heads={name: _head(head) for name, head in data["heads"].items()},
        dimensions={name: Dimension(**data["dimensions"][name]) for name in DIMENSIONS},
        repeatability=Repeatability(
            np.array(data["repeatability"]["seconds"]),
            {
                score: {level: np.array(rows) for level, rows in levels.items()}
                for score, levels in data["repeatability"]["offsets"].items()
            },
        ),
        warnings=tuple(data["warnings"]),
        figures=data["figures"],
    )
    _check_shapes(model)
    return model


def model_to_json(model: VoiceModel) -> dict[str, Any]:
    """The inverse of `model_from_json`."""
    return {
        "format": WEIGHTS_FORMAT,
        "version": model.version,
        "features": list(model.features),
        "groups": {
            name: {"centre": _plain(g.centre), "scale": _plain(g.scale), "low": _plain(g.low), "high": _plain(g.high)}
            for name, g in model.groups.items()
        },
        "heads": {
            name: {
                "coefficients": {group: _plain(head.coefficients[group]) for group in GROUPS},
                "intercepts": {group: round(head.intercepts[group], 10) for group in GROUPS},
                "reference": {group: _plain(head.reference[group]) for group in GROUPS},
            }
            for name, head in model.heads.items()
        },
        "dimensions": {
            name: {"head": d.head, "gain": d.gain, "evidence": d.evidence} for name, d in model.dimensions.items()
        },
        "repeatability": {
            "seconds": _plain(model.repeatability.seconds),
            "offsets": {
                score: {level: _plain(rows) for level, rows in levels.items()}
                for score, levels in model.repeatability.offsets.items()
            },
        },
        "warnings": list(model.warnings),
        "figures": dict(model.figures),
    }


def _head(data: Mapping[str, Any]) -> Head:
    return Head(
        coefficients={group: np.array(data["coefficients"][group]) for group in GROUPS},
        intercepts={group: float(data["intercepts"][group]) for group in GROUPS},
        reference={group: np.array(data["reference"][group]) for group in GROUPS},
    )


def _check_shapes(model: VoiceModel) -> None:
    width = len(model.features)
    for name, head in model.heads.items():
        for group in GROUPS:
            if head.coefficients[group].shape != (width,):
                raise ValueError(f"Head {name} has {head.coefficients[group].shape} coefficients for {width} features.")
            if head.reference[group].shape != (99,) or np.any(np.diff(head.reference[group]) <= 0):
                raise ValueError(f"The reference of head {name} is not 99 rising percentiles.")


def _plain(values: NDArray[np.float64]) -> list[Any]:
    rounded: list[Any] = np.round(values, 10).tolist()
    return rounded

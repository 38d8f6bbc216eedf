"""The voice heads: logistic models over standardised features, read from a JSON file of weights.

One head a target. A target that looks different in different people, such as distress in fear and in sadness, has a
part for each: the logit is ``log(sum(exp(parts)))``, so that one of them is enough. Each head has two sets of
coefficients: one for people whose birth sex is known, whose features are centred on speakers of that sex, and one for
all others, which leaves out the features that mostly tell the speaker's sex. A logit is measured from the median of
its reference group: 0 is the middle of the peers.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.interface import DIMENSIONS

WEIGHTS_PATH = Path(__file__).parent / "weights" / "voice.json"
WEIGHTS_FORMAT = 2

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
    """By group: coefficients (parts, features), intercepts (parts,), and 99 reference percentiles of the logit."""

    coefficients: Mapping[str, NDArray[np.float64]]
    intercepts: Mapping[str, Vector]
    reference: Mapping[str, Vector]

    def logit(self, z: NDArray[np.float64], group: str) -> Any:
        """Logit (…) of standardised features (…, features)."""
        return np.logaddexp.reduce(self._parts(z, group), axis=-1)

    def contributions(self, z: Vector, group: str) -> Vector:
        """What each of the features (features,) adds to the logit, the parts counted by their share in it."""
        parts = self._parts(z, group)
        shares = np.exp(parts - np.logaddexp.reduce(parts))
        found: Vector = shares @ (z * self.coefficients[group])
        return found

    def _parts(self, z: NDArray[np.float64], group: str) -> NDArray[np.float64]:
        found: NDArray[np.float64] = z @ self.coefficients[group].T + self.intercepts[group]
        return found


@dataclass(frozen=True, slots=True)
class Dimension:
    """Where one score comes from: a head, and how much its logit and that of the words count (see `fusion`)."""

    head: str
    voice_weight: float
    word_weight: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Straying:
    """How far one score strays from its value on the whole clean recording, in logits of the share of peers.

    With c (see `confidence.conditions`) and spread ``s = exp(base + slopes @ c)``, the value v of a part lies between
    ``(1 + pull) v + low s`` and ``(1 + pull) v + high s`` of the whole with a chance of 80 %.
    """

    pull: float
    base: float
    slopes: Vector
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class VoiceModel:
    """What training on voices produced: reference groups, heads, the five dimensions, and how repeatable each is.

    `straying` is by head. `strain_share` is the width of mental strain's interval against the mean of the five.
    """

    features: tuple[str, ...]
    groups: Mapping[str, Group]
    heads: Mapping[str, Head]
    dimensions: Mapping[str, Dimension]
    straying: Mapping[str, Straying]
    strain_share: float


@dataclass(frozen=True, slots=True)
class VoiceReading:
    """What the heads say of one recording, by dimension; `contributions` (features,) add up to about the logit."""

    group: str
    values: Vector  # as measured, NaN where a feature could not be
    logits: dict[str, float]
    contributions: dict[str, Vector]
    distance: float  # root mean square of the features, in standard deviations from the middle of the peers

    pitch_is_unusual: bool  # for the birth sex that was given

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
    """Logit of the head, and contributions to it, for each of the five dimensions."""
    group = group_of(birth_sex)
    values = np.array([features[name] for name in model.features])
    z = standardise(values, model.groups[group])
    logits, contributions = {}, {}
    for name in DIMENSIONS:
        head = model.heads[model.dimensions[name].head]
        contributions[name] = head.contributions(z, group)
        logits[name] = float(head.logit(z, group))
    unusual = _pitch_is_unusual(model, features["pitchMedian"], group)
    return VoiceReading(group, values, logits, contributions, float(distance_of(z)), unusual)


def _pitch_is_unusual(model: VoiceModel, pitch: float, group: str) -> bool:
    """A woman's pitch below the middle of the men's, a man's above all but a tenth of the women's, or anybody's there
    by the same distance again: a slip in the birth sex, a child, singing. No pitch (NaN) is not unusual."""
    place = model.features.index("pitchMedian")
    men, women = model.groups[MALE], model.groups[FEMALE]
    low = float(men.centre[place]) if group == FEMALE else -np.inf
    high = float(women.high[place] if group == MALE else 2 * women.high[place] - women.centre[place])
    return pitch < low or pitch > high


def distance_of(z: NDArray[np.float64]) -> Any:
    """Root mean square over the features of z (…, features): how far a voice lies from the middle of the peers."""
    return np.sqrt(np.square(z).mean(axis=-1))


@functools.cache
def load_voice(path: Path = WEIGHTS_PATH) -> VoiceModel:
    """Reads and checks a file of weights; ValueError says what does not fit."""
    return voice_from_json(json.loads(path.read_text(encoding="utf-8")))


def voice_from_json(data: Mapping[str, Any]) -> VoiceModel:
    """The model that a weights file holds. Raises ValueError on another format, KeyError on a missing part."""
    if data["format"] != WEIGHTS_FORMAT:
        raise ValueError(f"The weights are of format {data['format']}; this code reads format {WEIGHTS_FORMAT}.")
    model = VoiceModel(
        features=tuple(data["features"]),
        groups={name: Group(**{k: np.array(v) for k, v in data["groups"][name].items()}) for name in GROUPS},
        heads={name: _head(head) for name, head in data["heads"].items()},
        dimensions={name: Dimension(**data["dimensions"][name]) for name in DIMENSIONS},
        straying={
            name: Straying(**{**values, "slopes": np.array(values["slopes"])})
            for name, values in data["straying"].items()
        },
        strain_share=float(data["strain_share"]),
    )
    _check(model)
    return model


def voice_to_json(model: VoiceModel) -> dict[str, Any]:
    """The inverse of `voice_from_json`."""
    return {
        "format": WEIGHTS_FORMAT,
        "features": list(model.features),
        "groups": {
            name: {"centre": _plain(g.centre), "scale": _plain(g.scale), "low": _plain(g.low), "high": _plain(g.high)}
            for name, g in model.groups.items()
        },
        "heads": {
            name: {
                "coefficients": {group: _plain(head.coefficients[group]) for group in GROUPS},
                "intercepts": {group: _plain(head.intercepts[group]) for group in GROUPS},
                "reference": {group: _plain(head.reference[group]) for group in GROUPS},
            }
            for name, head in model.heads.items()
        },
        "dimensions": {name: asdict(dimension) for name, dimension in model.dimensions.items()},
        "straying": {
            name: {key: _plain(np.asarray(value)) for key, value in asdict(straying).items()}
            for name, straying in model.straying.items()
        },
        "strain_share": round(model.strain_share, 10),
    }


def _head(data: Mapping[str, Any]) -> Head:
    return Head(
        coefficients={group: np.array(data["coefficients"][group]) for group in GROUPS},
        intercepts={group: np.array(data["intercepts"][group]) for group in GROUPS},
        reference={group: np.array(data["reference"][group]) for group in GROUPS},
    )


def _check(model: VoiceModel) -> None:
    width = len(model.features)
    for name, dimension in model.dimensions.items():
        if dimension.head not in model.heads or dimension.head not in model.straying:
            raise ValueError(f"{name} rests on the head {dimension.head}, which the weights do not hold.")
    for name, head in model.heads.items():
        for group in GROUPS:
            shape, parts = head.coefficients[group].shape, len(head.intercepts[group])
            if shape != (parts, width):
                raise ValueError(f"Head {name} has {shape} coefficients for {parts} parts and {width} features.")
            if head.reference[group].shape != (99,) or np.any(np.diff(head.reference[group]) <= 0):
                raise ValueError(f"The reference of head {name} is not 99 rising percentiles.")


def _plain(values: NDArray[np.float64]) -> Any:
    return np.round(values, 10).tolist()

"""Shares of the peers, their logits, and the eleven values of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from apps.model_runs.wellness.heads import Vector
from apps.model_runs.wellness.interface import DIMENSIONS, Limits

BUCKETS = (0.0, 0.33, 0.66, 1.0)
MENTAL_STRAIN = "mentalStrain"
SCORES = (MENTAL_STRAIN, *DIMENSIONS)  # what confidence and evidence are given for

_LEVELS = np.arange(1, 100) / 100
_EDGE = 0.001  # keeps the logit of a share finite


def uniform_name(dimension: str) -> str:
    """`stress` -> `uniformStress`."""
    return "uniform" + dimension[0].upper() + dimension[1:]


CONTINUOUS_NAMES = (MENTAL_STRAIN, *map(uniform_name, DIMENSIONS))  # of the continuous value of each of SCORES


def percentile(reference: Vector, logit: float) -> float:
    """Share of the reference group below `logit`, 0..1, without a step anywhere.

    `reference` holds the 1st to 99th percentile. Beyond them the share falls off exponentially, at the rate at
    which it falls from the 10th to the 1st percentile, so that no two recordings are made equal by an end stop.
    """
    low, high = reference[0], reference[-1]
    if logit < low:
        return float(0.01 * np.exp((logit - low) * np.log(10) / (reference[9] - low)))
    if logit > high:
        return float(1 - 0.01 * np.exp((high - logit) * np.log(10) / (high - reference[-10])))
    return float(np.interp(logit, reference, _LEVELS))


def bucket(value: float, cuts: tuple[float, float, float]) -> float:
    """0.0, 0.33, 0.66 or 1.0; a value equal to a cut falls in the lower bucket."""
    return BUCKETS[sum(value > cut for cut in cuts)]


def mental_strain(uniform: Sequence[float]) -> float:
    """The composite over the five dimensions: their arithmetic mean."""
    if len(uniform) != len(DIMENSIONS):
        raise ValueError(f"Mental strain is made of {len(DIMENSIONS)} values, not {len(uniform)}.")
    return sum(uniform) / len(uniform)


def to_logit(share: float | Vector) -> Vector:
    """Logit of a share, within ±6.9."""
    inside = np.clip(share, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)), np.float64)


def to_share(logit: float) -> float:
    """The inverse of `to_logit`: the logistic function."""
    return float(1 / (1 + np.exp(-logit)))


def score(logits: Mapping[str, float], limits: Limits) -> dict[str, float]:
    """The eleven values by their API names; `logits` has the logit of the share of each of the five dimensions."""
    uniform = {name: round(to_share(logits[name]), limits.score_decimals) for name in DIMENSIONS}
    return {
        MENTAL_STRAIN: round(mental_strain(list(uniform.values())), limits.score_decimals),
        **{name: bucket(value, limits.bucket_cuts) for name, value in uniform.items()},
        **{uniform_name(name): value for name, value in uniform.items()},
    }


def continuous(scores: dict[str, float]) -> dict[str, float]:
    """The continuous value of each of the six scores, out of the eleven values."""
    return {name: scores[name] if name == MENTAL_STRAIN else scores[uniform_name(name)] for name in SCORES}

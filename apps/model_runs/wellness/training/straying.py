"""How far the score of a part strays from that of the whole recording, and under which conditions further."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.heads import Straying, Vector

COVERAGE = 0.8
# The least by which each of confidence.CONDITIONS widens an interval, in logarithms: where ten speakers show no effect
# of, say, a codec, the product still claims no equal certainty.
LEAST_SLOPES = np.array([0.2, 0.1, 0.1, 0.05, 0.1])
_SOFTENING = 0.05  # logits: keeps the logarithm of a residual finite


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of recordings: by head the logit of the share of a part (n,) and of its whole (n,); conditions (n, 5)."""

    own: Mapping[str, Vector]
    whole: Mapping[str, Vector]
    conditions: NDArray[np.float64]
    weights: Vector

    def where(self, mask: NDArray[np.bool_]) -> Parts:
        return Parts(
            {head: values[mask] for head, values in self.own.items()},
            {head: values[mask] for head, values in self.whole.items()},
            self.conditions[mask],
            self.weights[mask],
        )


def fit_straying(parts: Parts, head: str) -> Straying:
    """The law of one head: regression towards the middle, a spread that no condition may narrow, and how many spreads
    below and above hold COVERAGE of the cases."""
    own, moved, weights = parts.own[head], parts.whole[head] - parts.own[head], parts.weights
    pull = float(np.clip((weights * own * moved).sum() / max((weights * own**2).sum(), 1e-9), -0.9, 0.0))
    rest = moved - pull * own
    design = np.column_stack([np.ones(len(own)), parts.conditions])
    wanted = np.log(np.abs(rest) + _SOFTENING) - parts.conditions @ LEAST_SLOPES
    base, *more = _widening(design, wanted, weights)
    slopes = LEAST_SLOPES + np.array(more)
    scaled = rest / np.exp(base + parts.conditions @ slopes)
    low, high = (_quantile(scaled, weights, level) for level in ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2))
    return _tightened(Straying(pull, base, slopes, low, high), parts, head)


def bounds(law: Straying, own: Vector, conditions: NDArray[np.float64]) -> tuple[Vector, Vector]:
    """The two ends (n,) of the interval as the product gives it: it always holds the part's own value."""
    centre, spread = (1 + law.pull) * own, np.exp(law.base + conditions @ law.slopes)
    return np.minimum(centre + law.low * spread, own), np.maximum(centre + law.high * spread, own)


def covered(law: Straying, parts: Parts, head: str) -> NDArray[np.bool_]:
    """Which parts' intervals hold the value of the whole."""
    low, high = bounds(law, parts.own[head], parts.conditions)
    return (low <= parts.whole[head]) & (parts.whole[head] <= high)


def share_that_covers(own: Vector, whole: Vector, below: Vector, above: Vector, weights: Vector) -> float:
    """By how much to stretch `below` and `above` (n,), both from 0 up, so that COVERAGE of the wholes lie inside."""
    distance = whole - own
    reach = np.where(distance < 0, below, above)
    return _quantile(np.abs(distance) / np.maximum(reach, 1e-9), weights, COVERAGE)


def _tightened(law: Straying, parts: Parts, head: str) -> Straying:
    """An interval that is stretched to hold the part's own value covers too much: shrink both ends until it fits."""

    def with_ends(factor: float) -> Straying:
        return Straying(law.pull, law.base, law.slopes, law.low * factor, law.high * factor)

    narrow, wide = 0.0, 1.5
    for _ in range(40):
        middle = (narrow + wide) / 2
        share = (parts.weights * covered(with_ends(middle), parts, head)).sum() / parts.weights.sum()
        narrow, wide = (narrow, middle) if share >= COVERAGE else (middle, wide)
    return with_ends(wide)


def _widening(design: NDArray[np.float64], y: Vector, weights: Vector) -> list[float]:
    """Weighted least squares whose slopes are not negative: the most negative one is set to 0 until none is left."""
    free = list(range(design.shape[1]))
    while True:
        x = design[:, free]
        moments = (x * weights[:, None]).T @ x + 1e-6 * weights.sum() * np.eye(len(free))  # a condition may not vary
        found = np.linalg.solve(moments, (x * weights[:, None]).T @ y)
        slopes = dict(zip(free, found.tolist(), strict=True))
        worst = min(free[1:], key=slopes.__getitem__, default=0)
        if worst == 0 or slopes[worst] >= 0:
            return [slopes.get(place, 0.0) for place in range(design.shape[1])]
        free.remove(worst)


def _quantile(values: Vector, weights: Vector, level: float) -> float:
    order = np.argsort(values, kind="stable")
    rank = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    return float(np.interp(level, rank, values[order]))

"""Fitting: scalers, logistic regression with a penalty on what disturbances do, reference percentiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from apps.model_runs.wellness.features.registry import BY_NAME, FEATURES, HEAD_FEATURES
from apps.model_runs.wellness.heads import FEMALE, GROUPS, MALE, POOLED, Group, Head, Vector, standardise
from apps.model_runs.wellness.training.corpus import NEUTRAL
from apps.model_runs.wellness.training.disturbances import CLEAN
from apps.model_runs.wellness.training.units import JOIN, TAKE, Mask, Units


@dataclass(frozen=True, slots=True)
class Target:
    """What a head is to tell apart: labels that count as 1, one set for each of its parts, and labels that count as 0;
    other labels are left out.

    `steadiness` is how dear it is when a disturbance moves the logit, against the ridge.
    """

    parts: tuple[frozenset[str], ...]
    negative: frozenset[str]
    steadiness: float

    @property
    def positive(self) -> frozenset[str]:
        return frozenset().union(*self.parts)


def _labels(*names: str) -> frozenset[str]:
    return frozenset(names)


_LIVELY = _labels(NEUTRAL, "anger", "disgust", "fear", "happiness")
# Steadiness was chosen on held-out speakers: stress keeps its AUC whatever it is, distress loses .03 from 20 to 60, and
# the other two tell their labels from neutral speech worse the steadier they are.
TARGETS: Mapping[str, Target] = {
    # Fear and sadness sound like opposites: one line between both and neutral speech would miss half of each.
    "distress": Target((_labels("fear"), _labels("sadness")), _labels(NEUTRAL), 20.0),
    "stress": Target((_labels("fear", "anger"),), _labels(NEUTRAL), 120.0),
    "exhaustion": Target((_labels("boredom", "sadness"),), _LIVELY, 20.0),
    "sleepPropensity": Target((_labels("boredom"),), _LIVELY, 20.0),
}

RIDGE = 1.0
_TOTAL_WEIGHT = 100.0  # of all training units together, so that the penalties mean the same for any corpus
_NEUTRAL_SHARE = 0.5  # of the reference: peers mostly speak neutrally
_SMOOTHING = 0.25  # standard deviations: ten speakers are too few for a jagged reference

COLUMNS = np.array([feature.in_heads for feature in FEATURES])
_SEX_BOUND = np.array([BY_NAME[name].sex_bound for name in HEAD_FEATURES])
_PERCENTILES = np.arange(1, 100) / 100


def target_of(head: str, labels: np.ndarray) -> np.ndarray:
    """1, 0 or -1 (left out) for each label."""
    return _target_of(labels, TARGETS[head].positive, TARGETS[head].negative)


def _target_of(labels: np.ndarray, positive: frozenset[str], negative: frozenset[str]) -> np.ndarray:
    return np.where(np.isin(labels, list(positive)), 1, np.where(np.isin(labels, list(negative)), 0, -1))


def fit_voice(units: Units) -> tuple[dict[str, Group], dict[str, Head]]:
    """Groups and heads from these units alone."""
    groups = fit_groups(units)
    z = {POOLED: standardise(units.values[:, COLUMNS], groups[POOLED]), "own": standardise_by_sex(units, groups)}
    moved = {name: _disturbance_moments(units, values) for name, values in z.items()}
    heads = {}
    for head, target in TARGETS.items():
        fitted = {}
        for name, free in (("own", np.ones(len(_SEX_BOUND), bool)), (POOLED, ~_SEX_BOUND)):
            penalty = RIDGE * np.eye(free.sum()) + target.steadiness * moved[name][np.ix_(free, free)]
            parts = [_fit_part(units, z[name], free, penalty, part, target.negative) for part in target.parts]
            fitted[name] = (np.stack([found for found, _ in parts]), np.array([intercept for _, intercept in parts]))
        heads[head] = _with_reference(units, z, {MALE: fitted["own"], FEMALE: fitted["own"], POOLED: fitted[POOLED]})
    return groups, heads


def _fit_part(
    units: Units, z: np.ndarray, free: Mask, penalty: np.ndarray, positive: frozenset[str], negative: frozenset[str]
) -> tuple[Vector, float]:
    """Coefficients (features,), 0 where not `free`, and intercept."""
    y = _target_of(units.label, positive, negative)
    rows = (y >= 0) & (units.disturbance == CLEAN) & (units.of(TAKE) | units.of(JOIN))
    found, intercept = logistic(z[rows][:, free], y[rows], _balanced(units.where(rows), y[rows]), penalty)
    coefficients = np.zeros(len(free))
    coefficients[free] = found
    return coefficients, intercept


def logistic(x: np.ndarray, y: np.ndarray, weights: Vector, penalty: np.ndarray) -> tuple[Vector, float]:
    """Weighted logistic regression with the penalty ``b' penalty b / 2`` on the coefficients, by Newton's method.

    `x` (n, d), `y` (n,) of 0 and 1, `penalty` (d, d) positive definite. Returns coefficients and intercept.
    """
    design = np.column_stack([x, np.ones(len(x))])
    ridge = np.zeros((design.shape[1],) * 2)
    ridge[:-1, :-1] = penalty
    ridge[-1, -1] = 1e-9  # the intercept is free; this only keeps the system solvable
    b = np.zeros(design.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(design @ b, -30, 30)))
        gradient = design.T @ (weights * (p - y)) + ridge @ b
        curvature = (design * (weights * p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(curvature, gradient)
        b -= step
        if np.abs(step).max() < 1e-10:
            return b[:-1], float(b[-1])
    raise ArithmeticError("The logistic regression did not converge in 100 steps.")


def fit_groups(units: Units) -> dict[str, Group]:
    """Centre, scale and usual range of each head feature among the clean joins.

    The two sexes have their own centres and one scale, since five speakers tell a mean better than a spread.
    """
    joins = units.where(units.of(JOIN, CLEAN))
    x, weights = joins.values[:, COLUMNS], reference_weights(joins)
    groups, variances = {}, []
    for sex in (MALE, FEMALE):
        mine = joins.sex == sex
        centre, variance = _moments(x[mine], weights[mine])
        variances.append(variance)
        groups[sex] = (centre, x[mine], weights[mine])
    own_scale = np.sqrt(np.mean(variances, axis=0))
    centre, variance = _moments(x, weights)
    pooled = _group(centre, np.sqrt(variance), x, weights)
    return {**{sex: _group(groups[sex][0], own_scale, *groups[sex][1:]) for sex in groups}, POOLED: pooled}


def standardise_by_sex(units: Units, groups: Mapping[str, Group]) -> np.ndarray:
    """Each unit against the group of its speaker's sex."""
    x = units.values[:, COLUMNS]
    z = np.empty_like(x)
    for sex in (MALE, FEMALE):
        mine = units.sex == sex
        z[mine] = standardise(x[mine], groups[sex])
    return z


def reference_weights(units: Units) -> Vector:
    """Weights that make speakers equal, neutral speech half of each sex's speech, and the other labels equal."""
    weights = np.zeros(len(units))
    for sex in np.unique(units.sex):
        neutral = (units.sex == sex) & (units.label == NEUTRAL)
        other = (units.sex == sex) & (units.label != NEUTRAL)
        for mask, share in ((neutral, _NEUTRAL_SHARE), (other, 1 - _NEUTRAL_SHARE)):
            cell = np.char.add(units.speaker[mask], units.label[mask])
            _, place, count = np.unique(cell, return_inverse=True, return_counts=True)
            if len(count):
                weights[mask] = share / len(count) / count[place]
    normal: Vector = weights / weights.sum()
    return normal


def weighted_quantiles(values: Vector, weights: Vector, levels: Vector) -> Vector:
    """Quantiles of each column of `values` (n, …) by the middle of each value's weight."""
    order = np.argsort(values, kind="stable")
    rank = np.cumsum(weights[order]) - weights[order] / 2
    return np.interp(levels, rank / weights.sum(), values[order])


def smooth_percentiles(values: Vector, weights: Vector) -> Vector:
    """The 1st to 99th percentile of a sample spread out by a logistic kernel."""
    mean = np.average(values, weights=weights)
    spread = max(float(np.sqrt(np.average((values - mean) ** 2, weights=weights))), 1e-6)
    width = _SMOOTHING * spread * np.sqrt(3) / np.pi  # scale of a logistic distribution of that deviation
    grid = np.linspace(values.min() - 8 * width, values.max() + 8 * width, 1_001)
    share = (1 / (1 + np.exp(-np.clip((grid[:, None] - values) / width, -60, 60)))) @ (weights / weights.sum())
    return np.interp(_PERCENTILES, share, grid)


def _with_reference(units: Units, z: Mapping[str, np.ndarray], fitted: Mapping[str, tuple[np.ndarray, Vector]]) -> Head:
    """The head whose logits are 0 at the median of each group's clean joins."""
    joins = units.of(JOIN, CLEAN)
    coefficients = {group: fitted[group][0] for group in GROUPS}
    raw = Head(coefficients, {group: fitted[group][1] for group in GROUPS}, {})
    intercepts, reference = {}, {}
    for group in GROUPS:
        mine = joins if group == POOLED else joins & (units.sex == group)
        logits = raw.logit(z[POOLED if group == POOLED else "own"][mine], group)
        percentiles = smooth_percentiles(logits, reference_weights(units.where(mine)))
        intercepts[group] = raw.intercepts[group] - percentiles[49]
        reference[group] = percentiles - percentiles[49]
    return Head(coefficients, intercepts, reference)


def _disturbance_moments(units: Units, z: np.ndarray) -> np.ndarray:
    """Mean of ``d d'`` over all steps d from a clean join to its disturbed copies: (features, features)."""
    disturbed = units.of(JOIN) & ~units.of(JOIN, CLEAN)
    steps = z[disturbed] - z[clean_rows(units, disturbed)]
    moments: np.ndarray = steps.T @ steps / max(len(steps), 1)
    return moments


def clean_rows(units: Units, disturbed: Mask) -> list[int]:
    """For each disturbed join the row of the same join without disturbance."""
    clean = units.of(JOIN, CLEAN)
    place = dict(zip(_keys(units, clean), np.flatnonzero(clean).tolist(), strict=True))
    return [place[key] for key in _keys(units, disturbed)]


def _keys(units: Units, mask: Mask) -> list[tuple[str, str, int]]:
    return list(zip(units.speaker[mask], units.label[mask], units.number[mask], strict=True))


def _balanced(units: Units, y: np.ndarray) -> Vector:
    """Weights that make the two classes equal, and in each class every speaker, label and kind of unit equal."""
    cell = np.char.add(np.char.add(units.speaker, units.label), units.kind)
    _, place, count = np.unique(cell, return_inverse=True, return_counts=True)
    weights = 1 / count[place]
    for value in (0, 1):
        weights[y == value] /= weights[y == value].sum()
    return weights * _TOTAL_WEIGHT / 2


def _moments(x: np.ndarray, weights: Vector) -> tuple[Vector, Vector]:
    present = np.where(np.isnan(x), 0.0, weights[:, None])
    filled = np.nan_to_num(x)
    centre = (present * filled).sum(axis=0) / present.sum(axis=0)
    return centre, (present * (filled - centre) ** 2).sum(axis=0) / present.sum(axis=0)


def _group(centre: Vector, scale: Vector, x: np.ndarray, weights: Vector) -> Group:
    usual = np.array(
        [
            weighted_quantiles(column[known], weights[known], np.array([0.1, 0.9]))
            for column, known in zip(x.T, ~np.isnan(x).T, strict=True)
        ]
    )
    return Group(centre, np.maximum(scale, 1e-9), usual[:, 0], usual[:, 1])

"""Held-out figures: every speaker is scored by heads that were fitted on the other speakers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apps.model_runs.wellness.confidence import QUALITY_LEVELS, to_logit
from apps.model_runs.wellness.features.registry import HEAD_FEATURES
from apps.model_runs.wellness.heads import (
    FEMALE,
    MALE,
    POOLED,
    Dimension,
    Group,
    Head,
    Repeatability,
    Vector,
    standardise,
)
from apps.model_runs.wellness.interface import DIMENSIONS
from apps.model_runs.wellness.scores import MENTAL_STRAIN, mental_strain, percentile
from apps.model_runs.wellness.training.disturbances import CLEAN, DISTURBANCES
from apps.model_runs.wellness.training.fit import (
    COLUMNS,
    TARGETS,
    clean_rows,
    fit_groups,
    fit_voice,
    standardise_by_sex,
    target_of,
)
from apps.model_runs.wellness.training.units import JOIN, PART, TAKE, WHOLE, Mask, Units

REPEATABILITY_SECONDS = (2.0, 5.0, 10.0)
_COVERAGE = 0.8
_DEALS = 5
_FEWEST_CASES = 30  # below this a quantile of 10 % is a guess: the next coarser table is taken


@dataclass(frozen=True, slots=True)
class HeldOut:
    """By head: logits (units,) with the birth sex known and unknown, and percentiles (units,) of the former."""

    own: dict[str, np.ndarray]
    pooled: dict[str, np.ndarray]
    share: dict[str, np.ndarray]  # by dimension and mentalStrain


def hold_out(units: Units, dimensions: Mapping[str, Dimension]) -> HeldOut:
    """Scores every unit by the heads of the other speakers."""
    own, pooled = ({head: np.zeros(len(units)) for head in TARGETS} for _ in range(2))
    share = {name: np.zeros(len(units)) for name in (*DIMENSIONS, MENTAL_STRAIN)}
    for fold in _folds(units):
        for name, head in fold.heads.items():
            own[name][fold.out] = fold.logits(units, head, fold.sex)
            pooled[name][fold.out] = fold.logits(units, head, POOLED)
        mine = {name: own[name][fold.out] for name in fold.heads}
        for name, values in _shares(fold.heads, dimensions, fold.sex, mine).items():
            share[name][fold.out] = values
    return HeldOut(own, pooled, share)


def figures(units: Units, held: HeldOut) -> dict[str, Any]:
    """What the training command prints and the weights carry: by head, the measured figures and their baselines."""
    shuffled = shuffled_aucs(units)
    return {head: {**_head_figures(units, held, head), "aucShuffledLabels": shuffled[head]} for head in TARGETS}


def shuffled_aucs(units: Units) -> dict[str, float]:
    """Held-out AUC by head when each speaker's labels are dealt at random among his or her own: chance, if all is well.

    The mean of several deals, since ten speakers make a single one uncertain.
    """
    rng = np.random.default_rng(7)
    found: dict[str, list[float]] = {head: [] for head in TARGETS}
    for _ in range(_DEALS):
        labels = units.label.copy()
        for speaker in np.unique(units.speaker):
            mine = units.speaker == speaker
            names = np.unique(units.label[mine])
            dealt = dict(zip(names, rng.permutation(names), strict=True))
            labels[mine] = [dealt[name] for name in units.label[mine]]
        dealt_units = replace(units, label=labels)
        logits = {head: np.zeros(len(units)) for head in TARGETS}
        for fold in _folds(dealt_units):
            for name, head in fold.heads.items():
                logits[name][fold.out] = fold.logits(dealt_units, head, fold.sex)
        for name, values in logits.items():
            y = target_of(name, labels)
            rows = units.of(JOIN, CLEAN) & (y >= 0)
            found[name].append(auc(values[rows], y[rows]))
    return {name: _round(_mean(values)) for name, values in found.items()}


@dataclass(frozen=True, slots=True)
class _Fold:
    """Heads fitted without one speaker, and which rows are that speaker's."""

    out: Mask
    sex: str
    groups: Mapping[str, Group]
    heads: Mapping[str, Head]

    def logits(self, units: Units, head: Head, group: str) -> Vector:
        z = standardise(units.values[self.out][:, COLUMNS], self.groups[group])
        return z @ head.coefficients[group] + head.intercepts[group]


def _folds(units: Units) -> Iterator[_Fold]:
    for speaker in np.unique(units.speaker):
        out = units.speaker == speaker
        groups, heads = fit_voice(units.where(~out))
        yield _Fold(out, str(units.sex[out][0]), groups, heads)


def auc(scores: np.ndarray, y: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counted half."""
    positive, negative = scores[y == 1], scores[y == 0]
    if not len(positive) or not len(negative):
        return float("nan")
    above = (positive[:, None] > negative).mean()
    return float(above + (positive[:, None] == negative).mean() / 2)


def repeatability(units: Units, held: HeldOut) -> Repeatability:
    """How far the whole clean recording's score lies from that of a part: 10th and 90th percentiles in logits."""
    residual, rows = _residuals(units, held.share)
    return _table(units, residual, rows)


def coverage(units: Units, held: HeldOut) -> dict[str, float]:
    """Share of parts of at least ten seconds whose interval holds the whole recording's score; tables from other
    speakers, clean and disturbed."""
    residual, rows = _residuals(units, held.share)
    hits: dict[str, list[bool]] = {name: [] for name in residual}
    for speaker in np.unique(units.speaker):
        out = rows & (units.speaker == speaker)
        table = _table(units, residual, rows & (units.speaker != speaker))
        for name, values in residual.items():
            for row in np.flatnonzero(out & units.of(JOIN)):
                offsets = table.offsets[name][units.quality[row]]
                below, above = (np.interp(units.speech_seconds[row], table.seconds, side) for side in offsets.T)
                hits[name].append(bool(below <= values[row] <= above))
    return {name: round(float(np.mean(found)), 3) for name, found in hits.items()}


def _shares(
    heads: Mapping[str, Head], dimensions: Mapping[str, Dimension], group: str, logits: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    shares = {}
    for name in DIMENSIONS:
        dimension = dimensions[name]
        reference = heads[dimension.head].reference[group]
        shares[name] = np.array([percentile(reference, dimension.gain * logit) for logit in logits[dimension.head]])
    columns = np.column_stack([shares[name] for name in DIMENSIONS])
    shares[MENTAL_STRAIN] = np.array([mental_strain(row) for row in columns.tolist()])
    return shares


def _head_figures(units: Units, held: HeldOut, head: str) -> dict[str, Any]:
    y = target_of(head, units.label)
    joins, takes = units.of(JOIN, CLEAN) & (y >= 0), units.of(TAKE) & (y >= 0)
    logits = held.own[head]
    pitch = units.values[:, COLUMNS][:, HEAD_FEATURES.index("pitchMedian")]
    own_pitch = standardise_by_sex(units, fit_groups(units))[:, HEAD_FEATURES.index("pitchMedian")]
    male = (units.sex == MALE).astype(float)

    def either(values: np.ndarray) -> float:
        found = auc(values[joins], y[joins])  # a baseline may point either way
        return max(found, 1 - found)

    return {
        "joins": int(joins.sum()),
        "auc": _round(auc(logits[joins], y[joins])),
        "aucWithinSex": _round(_mean([auc(logits[m], y[m]) for m in _by_sex(units, joins)])),
        "aucTakes": _round(auc(logits[takes], y[takes])),
        "aucSexUnknown": _round(auc(held.pooled[head][joins], y[joins])),
        "baselineSexOnly": _round(either(male)),
        "baselinePitchOnly": _round(either(pitch)),
        "baselinePitchWithinSex": _round(either(own_pitch)),
        "baselineZeroTailOnly": _round(auc(units.tail_seconds[takes], y[takes])),
        "zeroTailCorrelationWithinLabel": _round(_correlation_within_label(units, logits, takes)),
        "disturbances": {name: _disturbance(units, held.share[head], logits, y, name) for name in DISTURBANCES},
    }


def _by_sex(units: Units, rows: Mask) -> list[Mask]:
    return [rows & (units.sex == sex) for sex in (MALE, FEMALE)]


def _correlation_within_label(units: Units, logits: np.ndarray, takes: Mask) -> float:
    """Correlation of the zero tail's length with the logit, both taken from their speaker's and label's mean."""
    tail, score = units.tail_seconds[takes].copy(), logits[takes].copy()
    cell = np.char.add(units.speaker[takes], units.label[takes])
    for name in np.unique(cell):
        tail[cell == name] -= tail[cell == name].mean()
        score[cell == name] -= score[cell == name].mean()
    spread = float(tail.std() * score.std())
    return float((tail * score).mean() / spread) if spread else 0.0


def _disturbance(units: Units, share: np.ndarray, logits: np.ndarray, y: np.ndarray, name: str) -> dict[str, float]:
    """Mean move of the percentile, up counted positive, its mean size, and the AUC under the disturbance."""
    rows = units.of(JOIN, name)
    moves = share[rows] - share[clean_rows(units, rows)]
    known = rows & (y >= 0)
    return {
        "meanMove": _round(moves.mean()),
        "meanSize": _round(np.abs(moves).mean()),
        "auc": _round(auc(logits[known], y[known])),
    }


def _residuals(units: Units, share: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], Mask]:
    """For each part and join, the logit of the whole recording's score minus its own; which rows they are."""
    cell = np.char.add(units.speaker, units.label)
    whole = dict(zip(cell[units.of(WHOLE)].tolist(), np.flatnonzero(units.of(WHOLE)).tolist(), strict=True))
    rows = units.of(PART) | units.of(JOIN)
    target = np.array([whole[name] for name in cell[rows].tolist()])
    residuals = {}
    for name, values in share.items():
        residuals[name] = np.full(len(units), np.nan)
        residuals[name][rows] = to_logit(values[target]) - to_logit(values[rows])
    return residuals, rows


def _table(units: Units, residual: dict[str, np.ndarray], rows: Mask) -> Repeatability:
    """Offsets by score, quality and seconds; never narrower for less speech, worse quality, or weaker evidence."""
    nearest = np.abs(units.speech_seconds[:, None] - np.array(REPEATABILITY_SECONDS)).argmin(axis=1)
    offsets: dict[str, dict[str, np.ndarray]] = {}
    for name, values in residual.items():
        levels: dict[str, np.ndarray] = {}
        for place, level in enumerate(QUALITY_LEVELS):
            better = np.isin(units.quality, QUALITY_LEVELS[: place + 1])
            table = np.zeros((len(REPEATABILITY_SECONDS), 2))
            for knot in range(len(REPEATABILITY_SECONDS)):
                exact = rows & (nearest == knot) & (units.quality == level)
                used = exact if exact.sum() >= _FEWEST_CASES else rows & (nearest == knot) & better
                table[knot] = _interval(values[used])
            table = _widest(table[::-1])[::-1]
            levels[level] = _wider(table, levels[QUALITY_LEVELS[place - 1]]) if place else table
        offsets[name] = levels
    # The score with the least evidence must not look the most certain for hardly moving.
    for level in QUALITY_LEVELS:
        for name in DIMENSIONS:
            offsets["lowSelfEsteem"][level] = _wider(offsets["lowSelfEsteem"][level], offsets[name][level])
    return Repeatability(np.array(REPEATABILITY_SECONDS), offsets)


def _interval(values: np.ndarray) -> np.ndarray:
    low, high = np.quantile(values, [(1 - _COVERAGE) / 2, (1 + _COVERAGE) / 2]) if len(values) else (0.0, 0.0)
    return np.array([min(low, 0.0), max(high, 0.0)])


def _widest(table: np.ndarray) -> np.ndarray:
    return np.column_stack([np.minimum.accumulate(table[:, 0]), np.maximum.accumulate(table[:, 1])])


def _wider(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.column_stack([np.minimum(first[:, 0], second[:, 0]), np.maximum(first[:, 1], second[:, 1])])


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _round(value: float) -> float:
    return round(float(value), 4)

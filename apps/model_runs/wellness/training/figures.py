"""The figures of the shipped voice heads, from held-out scores: what the model card shows and the commands print."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from apps.model_runs.wellness.features.registry import HEAD_FEATURES
from apps.model_runs.wellness.heads import MALE, Straying, Vector, VoiceModel
from apps.model_runs.wellness.interface import DIMENSIONS
from apps.model_runs.wellness.scores import to_share
from apps.model_runs.wellness.training.corpus import AGES
from apps.model_runs.wellness.training.disturbances import CLEAN, DISTURBANCES
from apps.model_runs.wellness.training.evaluate import HeldOut, parts_of, shuffled_aucs
from apps.model_runs.wellness.training.fit import (
    COLUMNS,
    TARGETS,
    clean_rows,
    fit_groups,
    standardise_by_sex,
    target_of,
)
from apps.model_runs.wellness.training.statistics import (
    auc,
    auc_interval_by_speaker,
    calibration,
    permutation_p,
    roc_curve,
    within_group_auc,
)
from apps.model_runs.wellness.training.straying import Parts, bounds, covered, fit_straying, share_that_covers
from apps.model_runs.wellness.training.units import JOIN, PART, TAKE, Mask, Units

AGE_BANDS = {"21-30": range(21, 31), "31-35": range(31, 36)}
_CURVE_POINTS = 101
Figures = dict[str, Any]


def figures(units: Units, held: HeldOut, model: VoiceModel) -> Figures:
    """By head what it is worth on speakers that it never heard, always beside what sex and pitch alone are worth; and
    how often the intervals hold."""
    shuffled = shuffled_aucs(units)
    return {
        "heads": {head: {**_head(units, held, head), "aucShuffledLabels": _r(shuffled[head])} for head in TARGETS},
        "intervals": _intervals(units, held, model),
        "units": {"speakers": len(np.unique(units.speaker)), "joins": int(units.of(JOIN, CLEAN).sum())},
    }


def strain_share(units: Units, held: HeldOut, straying: Mapping[str, Straying], model: VoiceModel) -> float:
    """How wide mental strain's interval must be against the mean of those of the five, words left out."""
    parts, _ = parts_of(units, held)
    own, whole, below, above = _strain(parts, straying, model)
    return share_that_covers(own, whole, below, above, parts.weights)


def _head(units: Units, held: HeldOut, head: str) -> Figures:
    y = target_of(head, units.label)
    joins, takes = units.of(JOIN, CLEAN) & (y >= 0), units.of(TAKE) & (y >= 0)
    own, labels, speakers, sexes = held.own[head][joins], y[joins], units.speaker[joins], units.sex[joins]
    pitch = units.values[:, COLUMNS][:, HEAD_FEATURES.index("pitchMedian")][joins]
    own_pitch = standardise_by_sex(units, fit_groups(units))[:, HEAD_FEATURES.index("pitchMedian")][joins]
    ages = np.array([AGES[speaker] for speaker in speakers])
    fitted = calibration(1 / (1 + np.exp(-own)), labels)
    return {
        "recordings": len(labels),
        "positives": int(labels.sum()),
        "auc": _interval(auc_interval_by_speaker(own, labels, speakers)),
        "aucWithinSex": _interval(auc_interval_by_speaker(own, labels, speakers, sexes)),
        "permutationP": _r(permutation_p(own, labels, speakers)),
        "aucSexUnknown": _interval(auc_interval_by_speaker(held.pooled[head][joins], labels, speakers)),
        "baselineSexOnly": _r(_either(auc((sexes == MALE).astype(float), labels))),
        "baselinePitchOnly": _r(_either(auc(pitch, labels))),
        "baselinePitchWithinSex": _r(_either(within_group_auc(own_pitch, labels, sexes))),
        "baselineZeroTailOnly": _r(auc(units.tail_seconds[takes], y[takes])),
        "zeroTailCorrelationWithinLabel": _r(_correlation_within_label(units, held.own[head], takes)),
        "bySex": {str(sex): _group(own, labels, sexes == sex) for sex in np.unique(sexes)},
        "byAge": {name: _group(own, labels, np.isin(ages, list(band))) for name, band in AGE_BANDS.items()},
        "calibration": {
            "error": _r(fitted.expected_error),
            "slope": _r(fitted.slope),
            "intercept": _r(fitted.intercept),
            "bins": [[_r(b.predicted), _r(b.observed), b.count] for b in fitted.bins],
        },
        "roc": _curve(own, labels),
        "byLabel": {
            str(label): _spread(held.share[head][units.of(JOIN, CLEAN) & (units.label == label)])
            for label in np.unique(units.label)
        },
        "bySeconds": _by_seconds(units, held, head),
        "bySnr": _by_snr(units, held, head),
        "disturbances": {name: _disturbance(units, held, head, y, name) for name in DISTURBANCES},
    }


def _group(scores: Vector, y: np.ndarray, mine: Mask) -> Figures:
    return {"auc": _r(auc(scores[mine], y[mine])), "recordings": int(mine.sum())}


def _by_seconds(units: Units, held: HeldOut, head: str) -> list[Figures]:
    """Held-out AUC of clean parts and joins by their seconds of speech."""
    rows = (units.disturbance == CLEAN) & (units.of(PART) | units.of(JOIN))
    return _by_range(units, held, head, rows, units.speech_seconds, (0.0, 2.5, 6.0, 12.0))


def _by_snr(units: Units, held: HeldOut, head: str) -> list[Figures]:
    """Held-out AUC of joins, disturbed ones too, by their signal-to-noise ratio in dB."""
    return _by_range(units, held, head, units.of(JOIN), units.snr_db, (0.0, 15.0, 25.0, 60.0))


def _by_range(
    units: Units, held: HeldOut, head: str, rows: Mask, measure: Vector, edges: tuple[float, ...]
) -> list[Figures]:
    y = target_of(head, units.label)
    found = []
    for low, high in pairwise(edges):
        mine = rows & (y >= 0) & (measure >= low) & ((measure < high) | (high == edges[-1]))
        if mine.any():
            interval = auc_interval_by_speaker(held.own[head][mine], y[mine], units.speaker[mine])
            found.append({"from": low, "to": high, "recordings": int(mine.sum()), "auc": _interval(interval)})
    return found


def _disturbance(units: Units, held: HeldOut, head: str, y: np.ndarray, name: str) -> Figures:
    """Mean move of the share of peers, up counted positive, its mean size, and the AUC under the disturbance."""
    rows = units.of(JOIN, name)
    moves = held.share[head][rows] - held.share[head][clean_rows(units, rows)]
    known = rows & (y >= 0)
    return {
        "meanMove": _r(moves.mean()),
        "meanSize": _r(np.abs(moves).mean()),
        "auc": _r(auc(held.own[head][known], y[known])),
    }


def _intervals(units: Units, held: HeldOut, model: VoiceModel) -> Figures:
    """Share of parts whose interval holds the value of the whole, by the law of the other speakers; and median widths
    as shares of the peers, before the voice weight draws them in."""
    parts, rows = parts_of(units, held)
    speakers, disturbance, seconds = units.speaker[rows], units.disturbance[rows], units.speech_seconds[rows]
    hits = {head: np.zeros(len(speakers), bool) for head in TARGETS}
    strain = np.zeros(len(speakers), bool)
    widths = {head: np.zeros(len(speakers)) for head in TARGETS}
    for speaker in np.unique(speakers):
        mine = speakers == speaker
        others, out = parts.where(~mine), parts.where(mine)
        laws = {head: fit_straying(others, head) for head in TARGETS}
        share = share_that_covers(*_strain(others, laws, model), others.weights)
        own, whole, below, above = _strain(out, laws, model)
        strain[mine] = (own - share * below <= whole) & (whole <= own + share * above)
        for head, law in laws.items():
            hits[head][mine] = covered(law, out, head)
            low, high = bounds(law, out.own[head], out.conditions)
            widths[head][mine] = _shares(high) - _shares(low)
    groups = {"all": np.ones(len(speakers), bool)}
    groups |= {"up to 3 s": seconds <= 3, "3 to 7 s": (seconds > 3) & (seconds <= 7), "over 7 s": seconds > 7}
    groups |= {name: disturbance == name for name in (CLEAN, *DISTURBANCES)}
    groups = {name: mine for name, mine in groups.items() if mine.any()}
    return {
        group: {
            "recordings": int(mine.sum()),
            **{
                head: {"held": _r(hits[head][mine].mean()), "width": _r(np.median(widths[head][mine]))}
                for head in TARGETS
            },
            "mentalStrain": {"held": _r(strain[mine].mean())},
        }
        for group, mine in groups.items()
    }


def _strain(parts: Parts, straying: Mapping[str, Straying], model: VoiceModel) -> tuple[Vector, Vector, Vector, Vector]:
    """Mental strain of each part and of its whole by the voice alone, and how far the mean of the five intervals
    reaches below and above: (n,) each."""
    values = []
    for name in DIMENSIONS:
        dimension = model.dimensions[name]
        head, weight = dimension.head, dimension.voice_weight
        low, high = bounds(straying[head], parts.own[head], parts.conditions)
        values.append([_shares(weight * v) for v in (parts.own[head], parts.whole[head], low, high)])
    own, whole, low, high = np.mean(values, axis=0)
    return own, whole, own - low, high - own


def _shares(logits: Vector) -> Vector:
    return np.array([to_share(logit) for logit in logits])


def _correlation_within_label(units: Units, logits: Vector, takes: Mask) -> float:
    """Correlation of the zero tail's length with the logit, both taken from their speaker's and label's mean."""
    tail, score = units.tail_seconds[takes].copy(), logits[takes].copy()
    cell = np.char.add(units.speaker[takes], units.label[takes])
    for name in np.unique(cell):
        tail[cell == name] -= tail[cell == name].mean()
        score[cell == name] -= score[cell == name].mean()
    spread = float(tail.std() * score.std())
    return float((tail * score).mean() / spread) if spread else 0.0


def _curve(scores: Vector, y: np.ndarray) -> list[list[float]]:
    """The ROC curve at 101 even shares of negatives."""
    negatives, positives = roc_curve(scores, y)
    grid = np.linspace(0, 1, _CURVE_POINTS)
    return [[_r(x), _r(p)] for x, p in zip(grid, np.interp(grid, negatives, positives), strict=True)]


def _spread(shares: Vector) -> list[float]:
    """Quartiles."""
    return [_r(value) for value in np.quantile(shares, (0.25, 0.5, 0.75))]


def _either(area: float) -> float:
    """A baseline may point either way."""
    return max(area, 1 - area)


def _interval(found: tuple[float, float, float]) -> list[float]:
    return [_r(value) for value in found]


def _r(value: Any) -> float:
    return round(float(value), 4)

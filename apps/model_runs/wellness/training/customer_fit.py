"""A head for a customer's labels: fitted, and judged on speakers that the fit has not seen.

The procedure is one function, `fit`: it chooses the penalty by cross-validation over the speakers it is given, takes
the reference percentiles and the weight of the words from the held-out logits of that same cross-validation (those of
the training recordings themselves would be too sure), and then fits on all it is given. `hold_out` judges this whole
procedure, choices included: it is run anew without each fifth of the speakers, and what it gives scores that fifth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.features.registry import BY_NAME, HEAD_FEATURES
from apps.model_runs.wellness.heads import FEMALE, GROUPS, MALE, POOLED, Group, Head, standardise
from apps.model_runs.wellness.scores import percentile, to_logit
from apps.model_runs.wellness.training.customer_measure import Labelled
from apps.model_runs.wellness.training.fit import logistic, smooth_percentiles
from apps.model_runs.wellness.training.statistics import auc, dealt_labels, p_of, within_group_auc

FEWEST_SPEAKERS = 50
FEWEST_OF_A_CLASS = 20  # recordings
FEWEST_SPEAKERS_OF_A_CLASS = 10  # else a fold may have to learn a class from hardly anyone
FEWEST_PEERS = 10  # speakers of a sex that make a reference of their own
FOLDS = 5
RIDGES = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)  # where all recordings together weigh their number
DEALS = 200  # refits with dealt labels: no p below 1 in 201
# Where the voice tells next to nothing, the ratio of the two weights is a division by next to nothing.
WORD_WEIGHT_LIMIT = 4.0

_SEX_FREE = np.array([not BY_NAME[name].sex_bound for name in HEAD_FEATURES])
_LOGISTIC_DEVIATION = np.pi / np.sqrt(3)
_SEED = 20_260_101

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Step = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Design:
    """Labelled recordings and their standardised features (n, features), by own sex where known and against all.

    `by_sex`: enough people of known sex to fit coefficients for them; else those for all people serve them too.
    """

    data: Labelled
    own: Vector
    pooled: Vector
    by_sex: bool

    def where(self, rows: Mask) -> Design:
        return Design(self.data.where(rows), self.own[rows], self.pooled[rows], self.by_sex)

    @property
    def known(self) -> Mask:
        return np.asarray(self.data.sex != POOLED)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head, the weight of the words beside it, and how they came about.

    `own_groups` are the sexes with a reference of their own; the others' is that of all recordings.
    """

    head: Head
    word_weight: float
    ridge: float
    own_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Scores (n,) in logits of the share of peers, each by a head that has not met the speaker."""

    voice: Vector
    score: Vector  # voice and words


@dataclass(frozen=True, slots=True)
class Chance:
    """How often dealt labels reach the AUC of the true ones; `within_sex` is NaN where no sex has both classes."""

    p: float
    within_sex: float
    deals: int


def design_of(data: Labelled, groups: Mapping[str, Group]) -> Design:
    """Standardises by the reference speakers of the shipped model."""
    pooled = standardise(data.values, groups[POOLED])
    own = pooled.copy()
    for sex in (MALE, FEMALE):
        mine = data.sex == sex
        own[mine] = standardise(data.values[mine], groups[sex])
    known = data.sex != POOLED
    return Design(data, own, pooled, not shortages(data.y[known], data.speaker[known]))


def shortages(y: NDArray[np.int8], speaker: NDArray[Any]) -> list[str]:
    """What there is too little of to train on."""
    speakers, found = len(np.unique(speaker)), []
    if speakers < FEWEST_SPEAKERS:
        found.append(f"{speakers} speakers (at least {FEWEST_SPEAKERS})")
    for name, value in (("positive", 1), ("negative", 0)):
        mine = y == value
        owners = len(np.unique(speaker[mine]))
        if mine.sum() < FEWEST_OF_A_CLASS:
            found.append(f"{mine.sum()} {name} recordings (at least {FEWEST_OF_A_CLASS})")
        elif owners < FEWEST_SPEAKERS_OF_A_CLASS:
            found.append(f"{name} recordings of {owners} speakers (at least {FEWEST_SPEAKERS_OF_A_CLASS})")
    return found


def fit(design: Design, word_weight: float) -> Fitted:
    """The whole procedure on these recordings; `word_weight` is kept where fewer than half of them have a text."""
    data = design.data
    ridge, held = min(((ridge, _held_out(design, data.y, ridge)) for ridge in RIDGES), key=_deviance_of(design))
    own_groups = tuple(sex for sex in (MALE, FEMALE) if _has_peers(data, sex))
    head, medians = _with_reference(design, _fit(design, data.y, ridge), held, own_groups)
    if data.spoken.mean() >= 0.5:
        from_median = held.used - np.array([medians[group] for group in data.sex])
        word_weight = _stacked(data, _share_logits(head, data.sex, from_median))
    return Fitted(head, word_weight, ridge, own_groups)


def hold_out(design: Design, word_weight: float, step: Step | None = None) -> HeldOut:
    """Scores every recording by the procedure run on the speakers of the other folds."""
    found = HeldOut(np.zeros(len(design.data)), np.zeros(len(design.data)))
    places = folds(design.data.speaker, design.data.y)
    for number in range(FOLDS):
        out = places == number
        fitted = fit(design.where(~out), word_weight)
        found.voice[out] = share_logits(fitted.head, design.where(out))
        found.score[out] = found.voice[out] + fitted.word_weight * design.data.words[out]
        if step is not None:
            step(number + 1, FOLDS)
    return found


def chance(design: Design, fitted: Fitted, step: Step | None = None, deals: int = DEALS) -> Chance:
    """Repeats the cross-validation with dealt labels (`statistics.dealt_labels`), penalty and word weight as fitted.

    Labels that fitted scores have seen cannot be exchanged afterwards: M. Ojala and G. Garriga, *Permutation tests for
    studying classifier performance*, JMLR 11 (2010). True and dealt labels go the same way, so the AUC compared here
    differs a little from that of the finished scores.
    """
    data, rng = design.data, np.random.default_rng(_SEED)
    known = design.known

    def overall(y: NDArray[np.int8]) -> float:
        return auc(_held_out_score(design, fitted, y), y)

    def within(y: NDArray[np.int8]) -> float:
        return within_group_auc(_held_out_score(design, fitted, y)[known], y[known], data.sex[known])

    found = []
    for place, (figure, strata) in enumerate(((overall, None), (within, data.sex))):
        true = figure(data.y)
        by_chance = []
        for number in range(0 if np.isnan(true) else deals):
            by_chance.append(figure(dealt_labels(data.y, data.speaker, rng, strata)))
            if step is not None:
                step(place * deals + number + 1, 2 * deals)
        found.append(p_of(true, np.array(by_chance)))
    return Chance(found[0], found[1], deals)


def folds(speakers: NDArray[np.str_], y: NDArray[np.int8]) -> NDArray[np.intp]:
    """The fold (n,) of each recording: by speaker, alike in their shares of positives, in whatever order they come."""
    names, place = np.unique(speakers, return_inverse=True)
    share = np.bincount(place, y) / np.bincount(place)
    drawn = [hashlib.sha256(str(name).encode()).hexdigest() for name in names]
    order = np.lexsort((np.array(drawn), share))
    number = np.empty(len(names), np.intp)
    number[order] = np.arange(len(names)) % FOLDS
    return np.asarray(number[place])


def share_logits(head: Head, design: Design) -> Vector:
    """Logit of the share of peers whose voice scores lower, for each recording."""
    sex = design.data.sex
    logits = np.empty(len(sex))
    for group in np.unique(sex):
        mine = sex == group
        logits[mine] = head.logit((design.pooled if group == POOLED else design.own)[mine], group)
    return _share_logits(head, sex, logits)


# --- Inside the procedure ---
@dataclass(frozen=True, slots=True)
class _Logits:
    """Logits (n,) by the coefficients that a person's sex calls for, and by those for all people."""

    used: Vector
    pooled: Vector


@dataclass(frozen=True, slots=True)
class _Coefficients:
    """For people of known sex and for all; each (features,) and an intercept."""

    own: tuple[Vector, float]
    pooled: tuple[Vector, float]

    def logits(self, design: Design) -> _Logits:
        own, pooled = (z @ b + c for z, (b, c) in ((design.own, self.own), (design.pooled, self.pooled)))
        return _Logits(np.where(design.known, own, pooled), pooled)


def _fit(design: Design, y: NDArray[np.int8], ridge: float) -> _Coefficients:
    weights = _weights(design.data.speaker)
    found, intercept = logistic(design.pooled[:, _SEX_FREE], y, weights, ridge * np.eye(_SEX_FREE.sum()))
    wide = np.zeros(len(_SEX_FREE))
    wide[_SEX_FREE] = found
    if not design.by_sex:
        return _Coefficients((wide, intercept), (wide, intercept))
    known = design.known
    own = logistic(design.own[known], y[known], weights[known], ridge * np.eye(len(_SEX_FREE)))
    return _Coefficients(own, (wide, intercept))


def _held_out(design: Design, y: NDArray[np.int8], ridge: float) -> _Logits:
    found = _Logits(np.zeros(len(y)), np.zeros(len(y)))
    places = folds(design.data.speaker, y)
    for number in range(FOLDS):
        out = places == number
        logits = _fit(design.where(~out), y[~out], ridge).logits(design.where(out))
        found.used[out], found.pooled[out] = logits.used, logits.pooled
    return found


def _held_out_score(design: Design, fitted: Fitted, y: NDArray[np.int8]) -> Vector:
    """Held-out voice logits, made as wide as logits of shares in each reference group, and the words."""
    logits = _held_out(design, y, fitted.ridge).used
    voice = np.empty(len(y))
    groups = np.where(np.isin(design.data.sex, fitted.own_groups), design.data.sex, POOLED)
    for group in np.unique(groups):
        mine = groups == group
        voice[mine] = (logits[mine] - logits[mine].mean()) / max(float(logits[mine].std()), 1e-9)
    return np.asarray(_LOGISTIC_DEVIATION * voice + fitted.word_weight * design.data.words)


def _deviance_of(design: Design) -> Callable[[tuple[float, _Logits]], float]:
    weights = _weights(design.data.speaker)
    sign = 2.0 * design.data.y - 1

    def deviance(choice: tuple[float, _Logits]) -> float:
        return float(weights @ np.logaddexp(0, -sign * choice[1].used))

    return deviance


def _with_reference(
    design: Design, found: _Coefficients, held: _Logits, own_groups: tuple[str, ...]
) -> tuple[Head, dict[str, float]]:
    """The head whose logits are 0 at the median of each group, and the medians that were taken off."""
    data, weights = design.data, _weights(design.data.speaker)
    heads, medians = {}, {}
    for group in GROUPS:
        rows = data.sex == group if group in own_groups else np.ones(len(data), bool)
        percentiles = smooth_percentiles((held.pooled if group == POOLED else held.used)[rows], weights[rows])
        medians[group] = float(percentiles[49])
        coefficients, intercept = found.pooled if group == POOLED else found.own
        heads[group] = (coefficients[None], np.array([intercept - medians[group]]), percentiles - medians[group])
    parts = ({group: head[place] for group, head in heads.items()} for place in range(3))
    return Head(*parts), medians


def _has_peers(data: Labelled, sex: str) -> bool:
    return len(np.unique(data.speaker[data.sex == sex])) >= FEWEST_PEERS


def _share_logits(head: Head, sex: NDArray[np.str_], logits: Vector) -> Vector:
    shares = [percentile(head.reference[group], logit) for group, logit in zip(sex, logits, strict=True)]
    return to_logit(np.array(shares))


def _stacked(data: Labelled, voice: Vector) -> float:
    """How much a logit of the words tells, for one of the voice: the ratio of their weights in a joint regression."""
    rows = data.spoken
    both = np.column_stack([voice[rows], data.words[rows]])
    (of_voice, of_words), _ = logistic(both, data.y[rows], _weights(data.speaker[rows]), 1e-3 * np.eye(2))
    if of_words <= 0:
        return 0.0
    return float(min(of_words / max(of_voice, 1e-9), WORD_WEIGHT_LIMIT))


def _weights(speakers: NDArray[np.str_]) -> Vector:
    """Every speaker the same, all recordings together their number."""
    _, place, count = np.unique(speakers, return_inverse=True, return_counts=True)
    return np.asarray(len(speakers) / len(count) / count[place])

"""What held-out scores are worth: areas under ROC curves with intervals, chance levels, calibration, shares.

Scores and labels are arrays (n,) of equal length; labels `y` are 1 (positive) and 0 (negative). Recordings of one
speaker are alike, so whatever says how sure a figure is comes in a form that takes the speakers as the units. Every
function gives the same answer on every call.

- DeLong 1988: E. DeLong, D. DeLong, D. Clarke-Pearson, *Comparing the areas under two or more correlated receiver
  operating characteristic curves*, Biometrics 44, 837-845.
- Wilson 1927: *Probable inference, the law of succession, and statistical inference*, JASA 22, 209-212.
- Field 2007: C. Field, A. Welsh, *Bootstrapping clustered data*, JRSS B 69, 369-390.
- Phipson 2010: B. Phipson, G. Smyth, *Permutation p-values should never be zero*, SAGMB 9, 39.
- Winkler 2015: A. Winkler et al., *Multi-level block permutation*, NeuroImage 123, 253-268.
- Cox 1958: *Two further applications of a model for binary regression*, Biometrika 45, 562-565.
- Brier 1950: *Verification of forecasts expressed in terms of probability*, Monthly Weather Review 78, 1-3.
- Nguyen 2015: K. Nguyen, B. O'Connor, *Posterior calibration and exploratory analysis for natural language processing
  models*, EMNLP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.training.fit import logistic

Vector = NDArray[np.float64]
Labels = NDArray[Any]  # of 0 and 1, whatever the type
Names = NDArray[Any]  # of speakers, sexes, bands of age

NORMAL_95 = 1.959964
_EDGE = 1e-6  # keeps the logit of a probability finite
_SEED = 20_260_101


# --- Area under the ROC curve ---
def auc(scores: NDArray[Any], y: Labels) -> float:
    """The chance that a positive scores above a negative, ties counted half; NaN where one of the two is missing."""
    positive, negative = scores[y == 1], np.sort(scores[y == 0])
    return float(_shares_below(positive, negative).mean()) if len(positive) and len(negative) else float("nan")


def auc_interval(scores: NDArray[Any], y: Labels) -> tuple[float, float, float]:
    """AUC with its 95 % interval where every recording stands for itself (DeLong 1988, cut to 0..1).

    NaN three times where one class is missing; the ends are NaN where a class has one member. Use
    `auc_interval_by_speaker` where speakers give several recordings.
    """
    positive, negative = np.sort(scores[y == 1]), np.sort(scores[y == 0])
    if not len(positive) or not len(negative):
        return (float("nan"),) * 3
    above, below = _shares_below(positive, negative), 1 - _shares_below(negative, positive)
    area = float(above.mean())
    if area in (0.0, 1.0):
        return area, *_of_complete_separation(area, min(len(positive), len(negative)))
    if min(len(positive), len(negative)) < 2:
        return area, float("nan"), float("nan")
    half = NORMAL_95 * float(np.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below)))
    return area, max(area - half, 0.0), min(area + half, 1.0)


def auc_interval_by_speaker(
    scores: NDArray[Any], y: Labels, speakers: Names, strata: Names | None = None
) -> tuple[float, float, float]:
    """AUC with its 95 % interval by `interval_by_speaker`; with `strata` the AUC within them.

    NaN three times where one class is missing.
    """

    def area_of(rows: NDArray[np.intp]) -> float:
        if strata is None:
            return auc(scores[rows], y[rows])
        return within_group_auc(scores[rows], y[rows], strata[rows])

    area = area_of(np.arange(len(y)))
    if np.isnan(area):
        return area, area, area
    if area in (0.0, 1.0):
        fewest = min(len(np.unique(speakers[y == value])) for value in (0, 1))
        return area, *_of_complete_separation(area, fewest)
    return area, *interval_by_speaker(area_of, speakers)


def interval_by_speaker(
    figure: Callable[[NDArray[np.intp]], float], speakers: Names, draws: int = 1_000
) -> tuple[float, float]:
    """95 % interval of a figure over new samples of whole speakers (cluster bootstrap, Field 2007).

    `figure` is given the rows of a sample, some of them several times; samples for which it is NaN are left out.
    """
    names, place = np.unique(speakers, return_inverse=True)
    own = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])
    rng = np.random.default_rng(_SEED)
    samples = (rng.integers(len(names), size=len(names)) for _ in range(draws))
    found = np.array([figure(np.concatenate([own[number] for number in sample])) for sample in samples])
    known = found[~np.isnan(found)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def within_group_auc(scores: NDArray[Any], y: Labels, groups: Names) -> float:
    """AUC over the pairs of a positive and a negative of one group, say of one sex: what tells the groups apart cannot
    raise it. NaN where no group has both."""
    total = pairs = 0.0
    for group in np.unique(groups):
        mine = groups == group
        weight = float((y[mine] == 1).sum()) * float((y[mine] == 0).sum())
        if weight:
            total += weight * auc(scores[mine], y[mine])
            pairs += weight
    return total / pairs if pairs else float("nan")


def roc_curve(scores: NDArray[Any], y: Labels) -> tuple[Vector, Vector]:
    """Share of negatives and of positives at or above each distinct score, from (0, 0) to (1, 1)."""
    rank = np.unique(scores, return_inverse=True)[1]
    positive, negative = (np.bincount(rank, y == value, rank.max(initial=0) + 1)[::-1] for value in (1, 0))
    start = np.zeros(1)
    return (
        np.concatenate([start, np.cumsum(negative) / max(negative.sum(), 1)]),
        np.concatenate([start, np.cumsum(positive) / max(positive.sum(), 1)]),
    )


# --- Chance ---
def dealt_labels(y: Labels, speakers: Names, rng: np.random.Generator, strata: Names | None = None) -> NDArray[np.int8]:
    """Labels (n,) as they could be if they told nothing, with what speakers have in common kept in place.

    Speakers exchange their shares of positives among themselves, and each speaker's recordings are dealt labels of the
    new share at random: the whole-block and within-block permutation of Winkler 2015. With one label a speaker it only
    exchanges speakers; where speakers have different numbers of recordings the number of positives varies a little.
    `strata` (n,), equal inside a speaker, lets speakers exchange only with others of the same stratum.
    """
    _, first, place = np.unique(speakers, return_index=True, return_inverse=True)
    counts = np.bincount(place)
    shares = np.bincount(place, y == 1) / counts
    stratum = np.zeros(len(first), int) if strata is None else np.unique(strata[first], return_inverse=True)[1]
    for number in np.unique(stratum):
        members = np.flatnonzero(stratum == number)
        shares[members] = shares[rng.permutation(members)]
    # A share that is no whole number of recordings is rounded up as often as its fraction says.
    wanted = np.floor(shares * counts + rng.random(len(counts))).astype(int)
    dealt = np.zeros(len(y), np.int8)
    order = np.lexsort((rng.random(len(y)), place))
    turn = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    dealt[order] = turn < np.repeat(wanted, counts)
    return dealt


def permutation_p(
    scores: NDArray[Any], y: Labels, speakers: Names, strata: Names | None = None, draws: int = 1_000
) -> float:
    """Chance that labels which tell nothing (`dealt_labels`) reach the AUC of these, one-sided, never 0 (Phipson 2010).

    With `strata` both the exchange and the AUC stay inside them. Right for scores that were not fitted to these labels;
    for scores of a cross-validation on them the fit must be repeated with every deal: see `p_of`.
    """

    def area(labels: Labels) -> float:
        return auc(scores, labels) if strata is None else within_group_auc(scores, labels, strata)

    rng = np.random.default_rng(_SEED)
    return p_of(area(y), np.array([area(dealt_labels(y, speakers, rng, strata)) for _ in range(draws)]))


def p_of(found: float, by_chance: Vector) -> float:
    """(1 + chance figures that reach `found`) / (1 + chance figures) (Phipson 2010); NaN figures are left out."""
    known = by_chance[~np.isnan(by_chance)]
    if np.isnan(found) or not len(known):
        return float("nan")
    return float((1 + (known >= found - 1e-12).sum()) / (1 + len(known)))


def wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); (0, 1) where nothing was counted."""
    if not n:
        return 0.0, 1.0
    z2 = NORMAL_95**2
    middle = (successes + z2 / 2) / (n + z2)
    half = NORMAL_95 * np.sqrt(successes * (n - successes) / n + z2 / 4) / (n + z2)
    # At the ends the formula gives 0 and 1 only up to rounding.
    return (
        0.0 if successes == 0 else float(middle - half),
        1.0 if successes == n else float(middle + half),
    )


# --- Calibration ---
@dataclass(frozen=True, slots=True)
class Bin:
    """Recordings of like predicted probability: their mean prediction, their share of positives, their number."""

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far predicted probabilities are met.

    `expected_error` is the mean distance of prediction and observation over the bins, weighted by their counts.
    `slope` and `intercept` of the labels' logistic regression on the predicted logit are 1 and 0 when all is well
    (Cox 1958): a slope below 1 means predictions too extreme. `brier` is the mean squared error (Brier 1950);
    `brier_of_base_rate` is that of predicting the share of positives for everyone.
    """

    bins: tuple[Bin, ...]
    expected_error: float
    slope: float
    intercept: float
    brier: float
    brier_of_base_rate: float


def calibration(probability: Vector, y: Labels, bins: int = 10) -> Calibration:
    """Predictions against labels, in bins of about equal counts (Nguyen 2015); equal predictions share a bin."""
    label = (y == 1).astype(np.float64)
    edges = np.unique(np.quantile(probability, np.arange(1, bins) / bins))
    place = np.searchsorted(edges, probability, side="left")
    found = tuple(
        Bin(float(probability[mine].mean()), float(label[mine].mean()), int(mine.sum()))
        for mine in (place == number for number in np.unique(place))
    )
    error = sum(abs(b.predicted - b.observed) * b.count for b in found) / len(label)
    slope, intercept = recalibration(logit(probability), y)
    base = float(label.mean())
    return Calibration(
        found, error, slope, intercept, float(((probability - label) ** 2).mean()), float(((base - label) ** 2).mean())
    )


def recalibration(logits: Vector, y: Labels) -> tuple[float, float]:
    """Slope and intercept that turn logits into the best calibrated ones (Cox 1958, Platt's scaling)."""
    # The small penalty keeps the slope finite where logits separate the labels; else it is not felt.
    coefficients, intercept = logistic(
        logits[:, None], (y == 1).astype(np.float64), np.ones(len(logits)), np.full((1, 1), 1e-3)
    )
    return float(coefficients[0]), intercept


def logit(probability: Vector) -> Vector:
    """Log odds, kept finite."""
    inside = np.clip(probability, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)), np.float64)


def _shares_below(values: NDArray[Any], others: NDArray[Any]) -> Vector:
    """For each value the share of the sorted `others` below it, equal ones counted half."""
    below, up_to = np.searchsorted(others, values, "left"), np.searchsorted(others, values, "right")
    return np.asarray((below + up_to) / (2 * len(others)), np.float64)


def _of_complete_separation(area: float, fewest: int) -> tuple[float, float]:
    """Where no pair is out of order the variance is 0, which claims too much: the interval of `fewest` successes of as
    many, the rarer class's members, stands in."""
    return wilson(round(area * fewest), fewest)

"""What scores are worth on a customer's labelled recordings, beside what would be had without any model.

The baselines see all labels and choose their direction by them, so they are if anything too good; the scores are those
of people whom the model has not met. Intervals are of 95 %, over samples of whole speakers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.features.registry import HEAD_FEATURES
from apps.model_runs.wellness.heads import POOLED
from apps.model_runs.wellness.training import statistics
from apps.model_runs.wellness.training.customer_measure import Labelled

BINS = 5  # of speech seconds and SNR
MOST_BINS, RECORDINGS_A_BIN = 10, 12  # of calibration
SIGNIFICANT = 0.05

Vector = NDArray[np.float64]
Figures = dict[str, Any]

# What needs no model: the person's sex and pitch, and how the recording was made.
BASELINES = {
    "sexOnly": "the sex",
    "pitchOnly": "the median pitch",
    "speechSecondsOnly": "the length of speech",
    "snrOnly": "the signal-to-noise ratio",
}

_PITCH = HEAD_FEATURES.index("pitchMedian")
_SEX_NAMES = {"MALE": "male", "FEMALE": "female", POOLED: "other or unknown"}


def figures(data: Labelled, score: Vector, voice: Vector | None, p: Mapping[str, Any]) -> Figures:
    """Every figure of one target as JSON values, rounded.

    `score` (n,) is the score in 0..1 that is judged, `voice` that of the voice alone where it is known, `p` the figures
    on chance: `p`, `withinSex`, `deals`, `method`.
    """
    known = data.sex != POOLED
    pitch = measure_alone(data.values[:, _PITCH], data.y)
    spoken = data.spoken
    found = {
        "data": _description(data),
        "auc": _area(data, score),
        "voiceAuc": None if voice is None else _area(data, voice),
        "wordsAuc": _area(data.where(spoken), data.words[spoken]) if spoken.any() else None,
        "baselines": {
            "sexOnly": _area(data, sex_alone(data)),
            "pitchOnly": _area(data, pitch),
            "speechSecondsOnly": _area(data, measure_alone(data.speech_seconds, data.y)),
            "snrOnly": _area(data, measure_alone(data.snr_db, data.y)),
        },
        "withinSex": {
            "auc": _area(data.where(known), score[known], data.sex[known]),
            "pitchOnly": _pitch_within_sex(data.where(known), pitch[known]),
        },
        "permutation": {name: _round(value) if isinstance(value, float) else value for name, value in p.items()},
        "calibration": _calibration(score, data.y),
        "bySex": _groups(data, score, [_SEX_NAMES[sex] for sex in data.sex]),
        "byBirth": _groups(data, score, data.born),
        "roc": _curve(score, data.y),
        "bySpeechSeconds": _along(data, score, data.speech_seconds),
        "bySnr": _along(data, score, data.snr_db),
    }
    return {**found, "warnings": warnings(found)}


def sex_alone(data: Labelled) -> Vector:
    """The share of positives of each recording's sex: what knowing the sex tells."""
    shares = {sex: float(data.y[data.sex == sex].mean()) for sex in np.unique(data.sex)}
    return np.array([shares[sex] for sex in data.sex])


def measure_alone(values: Vector, y: NDArray[np.int8]) -> Vector:
    """One measurement as a score, turned so that it tells; where it is not known it counts as usual."""
    known = values[~np.isnan(values)]
    filled = np.where(np.isnan(values), np.median(known) if len(known) else 0.0, values)
    return filled if statistics.auc(filled, y) >= 0.5 else -filled


def warnings(found: Figures) -> list[str]:
    """What forbids to rely on the score, in plain words; empty where nothing does."""
    area, within, chance = found["auc"], found["withinSex"]["auc"], found["permutation"]
    best, name = max((found["baselines"][name]["auc"], name) for name in BASELINES)
    said = []
    if area["auc"] <= best:
        said.append(f"The AUC of {area['auc']:.3f} is not above that of {BASELINES[name]} alone, {best:.3f}.")
    if chance["p"] is None or chance["p"] >= SIGNIFICANT:
        said.append(f"Labels dealt at random do as well too often (p = {p_text(chance['p'])}): there may be no effect.")
    if within["auc"] is not None and (within["low"] is None or within["low"] <= 0.5):
        said.append(
            f"Among people of one sex the AUC is {interval_text(within)}: no better than chance cannot be excluded."
        )
    return said


def _description(data: Labelled) -> Figures:
    positive = data.y == 1
    return {
        "recordings": len(data),
        "speakers": _speakers(data),
        "positives": int(positive.sum()),
        "positiveSpeakers": _speakers(data.where(positive)),
        "withText": int(data.spoken.sum()),
        "speechSeconds": _quartiles(data.speech_seconds),
        "snrDb": _quartiles(data.snr_db),
    }


def _area(data: Labelled, score: Vector, strata: NDArray[np.str_] | None = None) -> Figures:
    area, low, high = statistics.auc_interval_by_speaker(score, data.y, data.speaker, strata)
    return {"auc": _round(area), "low": _round(low), "high": _round(high)}


def _pitch_within_sex(data: Labelled, pitch: Vector) -> Figures:
    falls = statistics.within_group_auc(pitch, data.y, data.sex) < 0.5
    return _area(data, -pitch if falls else pitch, data.sex)


def _calibration(score: Vector, y: NDArray[np.int8]) -> Figures:
    found = statistics.calibration(score, y, min(MOST_BINS, max(len(y) // RECORDINGS_A_BIN, 1)))
    return {
        "bins": [_bin(part) for part in found.bins],
        "expectedError": _round(found.expected_error),
        "slope": _round(found.slope),
        "intercept": _round(found.intercept),
        "brier": _round(found.brier),
        "brierOfBaseRate": _round(found.brier_of_base_rate),
    }


def _bin(part: statistics.Bin) -> Figures:
    low, high = statistics.wilson(round(part.observed * part.count), part.count)
    return {
        "predicted": _round(part.predicted),
        "observed": _round(part.observed),
        "low": _round(low),
        "high": _round(high),
        "count": part.count,
    }


def _groups(data: Labelled, score: Vector, names: Sequence[str] | NDArray[np.str_]) -> list[Figures]:
    groups = np.asarray(names)
    found = []
    for name in np.unique(groups):
        mine = groups == name
        part = data.where(mine)
        found.append(
            {
                "name": str(name),
                "recordings": len(part),
                "speakers": _speakers(part),
                "positives": int(part.y.sum()),
                "meanScore": _round(float(score[mine].mean())),
                **_area(part, score[mine]),
            }
        )
    return found


def _along(data: Labelled, score: Vector, measure: Vector) -> list[Figures]:
    """Mean score of positives and negatives in bins of about equal counts of something measured."""
    known = ~np.isnan(measure)
    if not known.any():
        return []
    edges = np.unique(np.quantile(measure[known], np.arange(1, BINS) / BINS))
    place = np.where(known, np.searchsorted(edges, measure, side="left"), -1)
    rows = []
    for number in np.unique(place[known]):
        mine = place == number
        rows.append(
            {
                "from": _round(float(measure[mine].min())),
                "to": _round(float(measure[mine].max())),
                "middle": _round(float(np.median(measure[mine]))),
                "positive": _mean_score(data, score, mine & (data.y == 1)),
                "negative": _mean_score(data, score, mine & (data.y == 0)),
            }
        )
    return rows


def _mean_score(data: Labelled, score: Vector, mine: NDArray[np.bool_]) -> Figures:
    values = score[mine]
    if not len(values):
        return {"count": 0, "mean": None, "low": None, "high": None}
    low, high = statistics.interval_by_speaker(lambda rows: float(values[rows].mean()), data.speaker[mine])
    return {"count": len(values), "mean": _round(float(values.mean())), "low": _round(low), "high": _round(high)}


def _curve(score: Vector, y: NDArray[np.int8]) -> list[list[float | None]]:
    """The corners of the ROC curve: what lies between two others on a level or upright line is left out."""
    false, true = statistics.roc_curve(score, y)
    between = np.zeros(len(false), bool)
    for axis in (false, true):
        between[1:-1] |= (axis[:-2] == axis[1:-1]) & (axis[1:-1] == axis[2:])
    return [[_round(x), _round(y)] for x, y in zip(false[~between].tolist(), true[~between].tolist(), strict=True)]


def _quartiles(values: Vector) -> list[float | None]:
    known = values[~np.isnan(values)]
    return [_round(float(value)) for value in np.quantile(known, (0, 0.25, 0.5, 0.75, 1))] if len(known) else []


def _speakers(data: Labelled) -> int:
    return len(np.unique(data.speaker))


def interval_text(area: Mapping[str, Any]) -> str:
    """An AUC with its interval, for people."""
    if area["auc"] is None:
        return "not known"
    ends = "not known" if area["low"] is None else f"{area['low']:.3f}-{area['high']:.3f}"
    return f"{area['auc']:.3f} ({ends})"


def p_text(value: float | None) -> str:
    """A chance, for people."""
    return "not known" if value is None else f"{value:.3f}"


def _round(value: float) -> float | None:
    """Four decimals; None where nothing is known, since JSON has no NaN."""
    return None if np.isnan(value) else round(float(value), 4) + 0.0

"""A customer's labels to a model of their own, with the figures that say what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apps.model_runs.wellness.heads import POOLED, Dimension, Head, Straying
from apps.model_runs.wellness.model import WellnessModel
from apps.model_runs.wellness.training.customer_data import Row
from apps.model_runs.wellness.training.customer_figures import Figures, figures
from apps.model_runs.wellness.training.customer_fit import (
    DEALS,
    FOLDS,
    Fitted,
    chance,
    design_of,
    fit,
    hold_out,
    shortages,
)
from apps.model_runs.wellness.training.customer_measure import Labelled
from apps.model_runs.wellness.training.statistics import permutation_p

EVIDENCE = "customer_trained"
JUDGING_DEALS = 1_000
REFITTED = "the head is fitted anew on each deal, with the penalty that was chosen"
EXCHANGED = "speakers exchange their labels"

# What is being done, how much of it is done, how much there is.
Progress = Callable[[str, int, int], None]


class TooFew(Exception):
    """A file has too few labels to train on; one line for each target."""


class NothingToCompare(Exception):
    """A target has only positive or only negative recordings; one line for the user."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A model and, by target, its figures and how the head was fitted."""

    model: WellnessModel
    targets: dict[str, Figures]


def check_counts(rows: tuple[Row, ...]) -> None:
    """Raises TooFew before hours are spent on decoding."""
    faults = []
    for target in dict.fromkeys(row.target for row in rows):
        mine = [row for row in rows if row.target == target]
        short = shortages(np.array([row.positive for row in mine], np.int8), np.array([row.speaker for row in mine]))
        if short:
            faults.append(f"{target} has {' and '.join(short)}: too few to train on.")
    if faults:
        raise TooFew("\n".join(faults))


def train(
    by_target: Mapping[str, Labelled], base: WellnessModel, version: str, progress: Progress, deals: int = DEALS
) -> Trained:
    """A head for each target in place of the base model's; everything else is the base model's."""
    heads: dict[str, Head] = {}
    dimensions: dict[str, Dimension] = {}
    straying: dict[str, Straying] = {}
    targets = {}
    for target, data in by_target.items():
        name, before = f"customer:{target}", base.voice.dimensions[target]
        fitted, targets[target] = _train_target(target, data, base, progress, deals)
        heads[name] = fitted.head
        # How far a recording of the same state may stray was measured on the base model's head for this score.
        straying[name] = base.voice.straying[before.head]
        dimensions[target] = Dimension(name, 1.0, round(fitted.word_weight, 4), EVIDENCE)
    voice = replace(
        base.voice,
        heads={**base.voice.heads, **heads},
        dimensions={**base.voice.dimensions, **dimensions},
        straying={**base.voice.straying, **straying},
    )
    return Trained(WellnessModel(version, voice, base.words), targets)


def judge(target: str, data: Labelled) -> Figures:
    """The figures of finished scores (`Labelled.score`) that were not fitted to these labels.

    Raises NothingToCompare where one class is missing.
    """
    if len(np.unique(data.y)) < 2:
        missing = "negative" if data.y[0] else "positive"
        raise NothingToCompare(f"{target} has no {missing} recordings: there is nothing to compare.")
    known = data.where(data.sex != POOLED)
    p = permutation_p(data.score, data.y, data.speaker, draws=JUDGING_DEALS)
    within = permutation_p(known.score, known.y, known.speaker, known.sex, JUDGING_DEALS) if len(known) else np.nan
    return figures(data, data.score, None, {"p": p, "withinSex": within, "deals": JUDGING_DEALS, "method": EXCHANGED})


def _train_target(
    target: str, data: Labelled, base: WellnessModel, progress: Progress, deals: int
) -> tuple[Fitted, Figures]:
    table, word_weight = design_of(data, base.voice.groups), base.voice.dimensions[target].word_weight
    fitted = fit(table, word_weight)
    held = hold_out(table, word_weight, lambda done, of: progress(f"{target}: folds held out", done, of))
    by_chance = chance(table, fitted, lambda done, of: progress(f"{target}: deals of labels", done, of), deals)
    found = figures(
        data,
        _share(held.score),
        _share(held.voice),
        {"p": by_chance.p, "withinSex": by_chance.within_sex, "deals": by_chance.deals, "method": REFITTED},
    )
    found["fit"] = {
        "penalty": fitted.ridge,
        "folds": FOLDS,
        "wordWeight": round(fitted.word_weight, 4),
        "wordWeightFitted": bool(data.spoken.mean() >= 0.5),
        "coefficientsBySex": table.by_sex,
        "ownReference": list(fitted.own_groups),
    }
    return fitted, found


def _share(logits: Any) -> Any:
    return 1 / (1 + np.exp(-logits))

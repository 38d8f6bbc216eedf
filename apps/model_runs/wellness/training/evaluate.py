"""Held-out scores: every speaker is scored by heads that were fitted on the other speakers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from apps.model_runs.wellness.confidence import conditions
from apps.model_runs.wellness.heads import POOLED, Group, Head, Vector, distance_of, standardise
from apps.model_runs.wellness.scores import percentile, to_logit
from apps.model_runs.wellness.training.disturbances import CLEAN, LOSSY
from apps.model_runs.wellness.training.fit import COLUMNS, TARGETS, fit_voice, target_of
from apps.model_runs.wellness.training.statistics import auc
from apps.model_runs.wellness.training.straying import Parts
from apps.model_runs.wellness.training.units import JOIN, PART, WHOLE, Mask, Units

_DEALS = 20


@dataclass(frozen=True, slots=True)
class HeldOut:
    """By head (units,): the logit with the birth sex known and unknown, the share of peers below the former.

    `distance` (units,) is how far a unit lies from the middle of the peers that the other speakers are.
    """

    own: dict[str, Vector]
    pooled: dict[str, Vector]
    share: dict[str, Vector]
    distance: Vector


def hold_out(units: Units) -> HeldOut:
    """Scores every unit by the heads of the other speakers."""
    own, pooled, share = ({head: np.zeros(len(units)) for head in TARGETS} for _ in range(3))
    distance = np.zeros(len(units))
    for fold in _folds(units):
        z, z_pooled = (fold.standardised(units, group) for group in (fold.sex, POOLED))
        distance[fold.out] = distance_of(z)
        for name, head in fold.heads.items():
            own[name][fold.out] = head.logit(z, fold.sex)
            pooled[name][fold.out] = head.logit(z_pooled, POOLED)
            reference = head.reference[fold.sex]
            share[name][fold.out] = [percentile(reference, logit) for logit in own[name][fold.out]]
    return HeldOut(own, pooled, share, distance)


def parts_of(units: Units, held: HeldOut) -> tuple[Parts, Mask]:
    """Every part and join beside the whole recording that it is from, each speaker and label counting the same; and
    which of the units they are."""
    cell = np.char.add(units.speaker, units.label)
    whole = dict(zip(cell[units.of(WHOLE)].tolist(), np.flatnonzero(units.of(WHOLE)).tolist(), strict=True))
    rows = units.of(PART) | units.of(JOIN)
    target = np.array([whole[name] for name in cell[rows].tolist()])
    _, place, count = np.unique(cell[rows], return_inverse=True, return_counts=True)
    logits = {head: to_logit(values) for head, values in held.share.items()}
    found = Parts(
        own={head: values[rows] for head, values in logits.items()},
        whole={head: values[target] for head, values in logits.items()},
        conditions=conditions(
            units.speech_seconds[rows],
            units.snr_db[rows],
            units.bandwidth_hz[rows],
            np.isin(units.disturbance[rows], list(LOSSY)),
            held.distance[rows],
        ),
        weights=1 / count[place],
    )
    return found, rows


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
            z = fold.standardised(dealt_units, fold.sex)
            for name, head in fold.heads.items():
                logits[name][fold.out] = head.logit(z, fold.sex)
        for name, values in logits.items():
            y = target_of(name, labels)
            rows = units.of(JOIN, CLEAN) & (y >= 0)
            found[name].append(auc(values[rows], y[rows]))
    return {name: float(np.mean(values)) for name, values in found.items()}


@dataclass(frozen=True, slots=True)
class _Fold:
    """Heads fitted without one speaker, and which rows are that speaker's."""

    out: Mask
    sex: str
    groups: Mapping[str, Group]
    heads: Mapping[str, Head]

    def standardised(self, units: Units, group: str) -> np.ndarray:
        return standardise(units.values[self.out][:, COLUMNS], self.groups[group])


def _folds(units: Units) -> Iterator[_Fold]:
    for speaker in np.unique(units.speaker):
        out = units.speaker == speaker
        groups, heads = fit_voice(units.where(~out))
        yield _Fold(out, str(units.sex[out][0]), groups, heads)

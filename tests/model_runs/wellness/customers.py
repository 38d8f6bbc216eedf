"""Measured recordings of made-up customers, whose labels tell what the test says and nothing else."""

from __future__ import annotations

import numpy as np

from apps.model_runs.wellness.features.registry import HEAD_FEATURES
from apps.model_runs.wellness.heads import FEMALE, MALE, POOLED, Group
from apps.model_runs.wellness.training.customer_measure import Labelled

PITCH, TELLING, SHAKY = (HEAD_FEATURES.index(name) for name in ("pitchMedian", "hnr", "alphaRatio"))
WIDTH = len(HEAD_FEATURES)
_PITCHES = {MALE: -6.0, FEMALE: 6.0, POOLED: 0.0}  # standard deviations from the middle of all


def groups() -> dict[str, Group]:
    """Reference speakers at 0 with a spread of 1, but for the pitch of the sexes."""
    found = {}
    for name, pitch in _PITCHES.items():
        centre = np.zeros(WIDTH)
        centre[PITCH] = pitch
        found[name] = Group(centre, np.ones(WIDTH), centre - 1, centre + 1)
    return found


def customers(
    *,
    effect: float = 0.0,
    sex_effect: float = 0.0,
    words: float | None = None,
    sex_known: bool = True,
    changing: bool = False,
    speakers: int = 60,
    recordings: int = 3,
    seed: int = 1,
) -> Labelled:
    """Speakers with several recordings each, half of them men, whose voices differ more than their recordings.

    `effect` moves two features of positives apart, in standard deviations. With `sex_effect` s a woman is positive
    with the chance .5 + s, a man with .5 - s. `words` gives texts, whose logits differ by as much. Labels are a
    speaker's own unless they are `changing` from one recording to the next.
    """
    rng = np.random.default_rng(seed)
    total = speakers * recordings
    male = np.arange(speakers) % 2 == 1
    if sex_effect:
        label = rng.random(speakers) < np.where(male, 0.5 - sex_effect, 0.5 + sex_effect)
    else:
        label = rng.permutation(np.arange(speakers) // 2) % 2 == 1
    y = rng.integers(0, 2, total) if changing else np.repeat(label, recordings).astype(int)
    values = np.repeat(rng.standard_normal((speakers, WIDTH)), recordings, axis=0) * 0.8
    values += 0.6 * rng.standard_normal((total, WIDTH))
    values[:, TELLING] += effect * y
    values[:, SHAKY] -= effect * y
    values[:, PITCH] += np.repeat(np.where(male, _PITCHES[MALE], _PITCHES[FEMALE]), recordings)
    said = np.clip(rng.standard_normal(total) + (words or 0.0) * (y - 0.5), -2, 3) * (rng.random(total) < 0.7)
    return Labelled(
        y=y.astype(np.int8),
        speaker=np.repeat([f"P{number:03}" for number in range(speakers)], recordings),
        sex=np.repeat(np.where(male, MALE, FEMALE), recordings) if sex_known else np.full(total, POOLED),
        born=np.repeat(np.where(np.arange(speakers) % 3 == 0, "1970-1979", "1990-1999"), recordings),
        values=values,
        speech_seconds=rng.uniform(10, 60, total),
        snr_db=np.where(rng.random(total) < 0.1, np.nan, rng.normal(25, 6, total)),
        words=np.zeros(total) if words is None else said,
        spoken=np.full(total, words is not None),
        score=np.full(total, np.nan),
    )

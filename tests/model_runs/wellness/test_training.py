"""Training, without the training data: small corpora whose truth is known."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from apps.model_runs.wellness.features.registry import FEATURES
from apps.model_runs.wellness.heads import (
    FEMALE,
    MALE,
    POOLED,
    VoiceModel,
    read_voice,
    standardise,
    voice_from_json,
    voice_to_json,
)
from apps.model_runs.wellness.training import evaluate, fit, reproduce
from apps.model_runs.wellness.training.corpus import LABELS, SEXES
from apps.model_runs.wellness.training.disturbances import CLEAN, DISTURBANCES
from apps.model_runs.wellness.training.statistics import auc
from apps.model_runs.wellness.training.units import JOIN, PART, TAKE, WHOLE, Units

NAMES = [feature.name for feature in FEATURES]
SIGNAL = NAMES.index("hnr")  # what the labels below are made of
SHAKY = NAMES.index("alphaRatio")  # as telling as the signal, but every disturbance moves it
SEX = NAMES.index("pitchMedian")
SPEAKERS = dict(list(SEXES.items())[2:8])  # four men and two women


def corpus(effect: float = 3.0, *, tail_follows_label: bool = False, seed: int = 3) -> Units:
    """Units of six speakers with all seven labels; `effect` is how far anger, fear and sadness stand apart."""
    rng = np.random.default_rng(seed)
    rows = []
    for speaker, sex in SPEAKERS.items():
        for label in LABELS.values():
            for kind, count in ((TAKE, 3), (JOIN, 3), (PART, 3), (WHOLE, 1)):
                for number in range(count):
                    values = rng.standard_normal(len(NAMES)) * (1.5 if kind in (TAKE, PART) else 0.7)
                    marked = effect * (label in {"anger", "fear", "sadness"})
                    values[[SIGNAL, SHAKY]] += marked
                    values[SEX] += 6 * (sex == FEMALE)
                    tail = float(label == "fear") if tail_follows_label else 0.0
                    rows.append((speaker, sex, label, kind, number, CLEAN, tail, values))
                    if kind == JOIN and number < 1:
                        for name in DISTURBANCES:
                            moved = values.copy()
                            moved[SHAKY] += 3
                            rows.append((speaker, sex, label, kind, number, name, 0.0, moved))
    seconds = {TAKE: 2.0, PART: 4.0, JOIN: 11.0, WHOLE: 20.0}
    columns = list(zip(*rows, strict=True))
    return Units(
        speaker=np.array(columns[0]),
        sex=np.array(columns[1]),
        label=np.array(columns[2]),
        kind=np.array(columns[3]),
        number=np.array(columns[4]),
        disturbance=np.array(columns[5]),
        tail_seconds=np.array(columns[6]),
        speech_seconds=np.array([seconds[row[3]] for row in rows]),
        snr_db=np.where(np.array(columns[5]) == CLEAN, 40.0, 12.0),
        bandwidth_hz=np.full(len(rows), 8_000.0),
        values=np.array(columns[7]),
    )


@pytest.fixture(scope="module")
def both() -> tuple[VoiceModel, dict[str, Any]]:
    return reproduce.train_voice(corpus())


@pytest.fixture(scope="module")
def trained(both: tuple[VoiceModel, dict[str, Any]]) -> VoiceModel:
    return both[0]


@pytest.fixture(scope="module")
def figures(both: tuple[VoiceModel, dict[str, Any]]) -> dict[str, Any]:
    return both[1]


def test_what_is_in_the_labels_is_found_on_speakers_never_heard(figures: dict[str, Any]) -> None:
    stress = figures["heads"]["stress"]
    for name in ("auc", "aucWithinSex", "aucSexUnknown"):
        area, low, high = stress[name]
        assert 0.9 < area <= 1
        assert low <= area <= high
    assert stress["permutationP"] < 0.01


def test_baselines_and_shuffled_labels_stand_at_chance(figures: dict[str, Any]) -> None:
    for head in figures["heads"].values():
        assert head["baselineSexOnly"] == pytest.approx(0.5, abs=0.02)
        assert head["baselinePitchOnly"] < 0.65
        assert 0.35 < head["aucShuffledLabels"] < 0.65


def test_labels_without_a_trace_in_the_voice_are_not_found() -> None:
    units = corpus(effect=0.0)
    held = evaluate.hold_out(units)
    y = fit.target_of("stress", units.label)
    rows = units.of(JOIN, CLEAN) & (y >= 0)
    assert 0.3 < auc(held.own["stress"][rows], y[rows]) < 0.7


def test_the_length_of_the_zeros_does_not_reach_a_head() -> None:
    """The tail alone tells the label perfectly here; a head that saw it would stand far above chance."""
    units = corpus(effect=0.0, tail_follows_label=True)
    held = evaluate.hold_out(units)
    y = fit.target_of("stress", units.label)
    takes = units.of(TAKE) & (y >= 0)
    assert auc(units.tail_seconds[takes], y[takes]) == pytest.approx(0.75)
    assert auc(held.own["stress"][takes], y[takes]) < 0.6
    flat = replace(units, tail_seconds=np.zeros(len(units)))
    assert evaluate.hold_out(flat).own["stress"].tolist() == held.own["stress"].tolist()


def test_a_measure_that_disturbances_move_gets_little_weight(trained: VoiceModel, figures: dict[str, Any]) -> None:
    weights = dict(zip(trained.features, trained.heads["stress"].coefficients[MALE][0], strict=True))
    assert weights["hnr"] > 5 * abs(weights["alphaRatio"])
    for name in DISTURBANCES:
        assert abs(figures["heads"]["stress"]["disturbances"][name]["meanMove"]) < 0.1


def test_a_fitted_model_is_the_same_after_writing_and_reading(trained: VoiceModel) -> None:
    loaded = voice_from_json(json.loads(json.dumps(voice_to_json(trained))))
    features = dict(zip(trained.features, np.linspace(-1, 3, len(trained.features)).tolist(), strict=True))
    for sex in ("MALE", "FEMALE", "UNKNOWN"):
        before, after = read_voice(trained, features, sex).logits, read_voice(loaded, features, sex).logits
        assert after == pytest.approx(before, abs=1e-6)


def test_training_twice_gives_equal_weights(trained: VoiceModel) -> None:
    groups, heads = fit.fit_voice(corpus())
    for name, head in trained.heads.items():
        assert head.coefficients[POOLED].tolist() == heads[name].coefficients[POOLED].tolist()
        assert head.intercepts[POOLED].tolist() == heads[name].intercepts[POOLED].tolist()
    assert groups[FEMALE].centre.tolist() == trained.groups[FEMALE].centre.tolist()


def test_the_reference_is_the_peers_own_distribution(trained: VoiceModel) -> None:
    units = corpus()
    joins = units.where(units.of(JOIN, CLEAN) & (units.sex == MALE))
    x = joins.values[:, fit.COLUMNS]
    head, group = trained.heads["stress"], trained.groups[MALE]
    logits = head.logit(standardise(x, group), MALE)
    below = fit.reference_weights(joins)[logits < head.reference[MALE][74]].sum()
    assert below == pytest.approx(0.75, abs=0.06)


def test_intervals_hold_as_often_as_they_say(figures: dict[str, Any]) -> None:
    everything = figures["intervals"]["all"]
    for head in fit.TARGETS:
        assert everything[head]["held"] == pytest.approx(0.8, abs=0.1)
    assert "up to 3 s" not in figures["intervals"]  # the corpus has none
    assert everything["mentalStrain"]["held"] == pytest.approx(0.8, abs=0.1)


# --- The regression itself ---
def test_logistic_regression_recovers_what_made_the_data() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((20_000, 3))
    truth = np.array([1.0, -2.0, 0.0])
    y = (rng.uniform(size=len(x)) < 1 / (1 + np.exp(-(x @ truth + 0.5)))).astype(int)
    found, intercept = fit.logistic(x, y, np.ones(len(x)), 1e-6 * np.eye(3))
    np.testing.assert_allclose(found, truth, atol=0.1)
    assert intercept == pytest.approx(0.5, abs=0.1)


def test_separable_data_still_have_an_answer() -> None:
    x = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    found, intercept = fit.logistic(x, np.array([0, 0, 1, 1]), np.full(4, 25.0), np.eye(1))
    assert 1 < found[0] < 20
    assert intercept == pytest.approx(0, abs=1e-6)


def test_the_penalty_turns_weight_away_from_its_direction() -> None:
    rng = np.random.default_rng(6)
    cause = rng.standard_normal(2_000)
    x = np.column_stack([cause, cause]) + 0.3 * rng.standard_normal((2_000, 2))
    found, _ = fit.logistic(x, (cause > 0).astype(int), np.full(2_000, 0.05), np.eye(2) + np.diag([0.0, 100.0]))
    assert found[0] > 5 * abs(found[1])


def test_neutral_speech_is_half_of_the_reference_and_speakers_are_equal() -> None:
    units = corpus()
    joins = units.where(units.of(JOIN, CLEAN))
    weights = fit.reference_weights(joins)
    assert weights.sum() == pytest.approx(1)
    assert weights[joins.label == "neutral"].sum() == pytest.approx(0.5)
    assert {round(float(weights[joins.speaker == name].sum()), 6) for name in SPEAKERS} == {round(1 / len(SPEAKERS), 6)}


def test_the_largest_difference_of_two_weights_files_is_found_wherever_it_is() -> None:
    first = {"a": [1.0, 2000.0], "b": {"c": 0.5, "d": "text"}}
    assert reproduce.largest_difference(first, first) == 0
    assert reproduce.largest_difference(first, {"a": [1.0, 2001.0], "b": {"c": 0.5, "d": "text"}}) == pytest.approx(
        1 / 2001
    )
    assert reproduce.largest_difference(first, {"a": [1.0, 2000.0], "b": {"c": 0.25, "d": "text"}}) == 0.25
    for other in ({"a": [1.0], "b": first["b"]}, {"a": first["a"]}, {"a": first["a"], "b": {"c": 0.5, "d": "other"}}):
        assert reproduce.largest_difference(first, other) == math.inf

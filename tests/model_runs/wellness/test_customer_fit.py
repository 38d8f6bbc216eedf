"""Fitting a customer's labels, on measured recordings whose truth is known."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from apps.model_runs.wellness.features.registry import BY_NAME, HEAD_FEATURES
from apps.model_runs.wellness.heads import FEMALE, GROUPS, MALE, POOLED
from apps.model_runs.wellness.training import customer_fit, statistics
from apps.model_runs.wellness.training.customer_figures import measure_alone, sex_alone
from apps.model_runs.wellness.training.customer_fit import Chance, Fitted, HeldOut
from apps.model_runs.wellness.training.customer_measure import Labelled
from tests.model_runs.wellness.customers import PITCH, TELLING, WIDTH, customers, groups

WORD_WEIGHT = 1.5


def worked(data: Labelled, deals: int = 40) -> tuple[Fitted, HeldOut, Chance]:
    design = customer_fit.design_of(data, groups())
    fitted = customer_fit.fit(design, WORD_WEIGHT)
    return fitted, customer_fit.hold_out(design, WORD_WEIGHT), customer_fit.chance(design, fitted, deals=deals)


def test_an_effect_is_found_on_speakers_never_met() -> None:
    data = customers(effect=1.5)
    fitted, held, chance = worked(data)
    assert statistics.auc(held.score, data.y) > 0.8
    assert statistics.within_group_auc(held.score, data.y, data.sex) > 0.8
    assert chance.p == chance.within_sex == pytest.approx(1 / 41)
    assert fitted.own_groups == (MALE, FEMALE)
    for group in GROUPS:
        assert fitted.head.coefficients[group][0, TELLING] > 0


def test_without_an_effect_nothing_is_found() -> None:
    areas, chances = [], []
    for seed in range(6):
        data = customers(seed=seed)
        _, held, chance = worked(data, deals=19)
        areas.append(statistics.auc(held.score, data.y))
        chances.append(chance.p)
    assert 0.4 < float(np.mean(areas)) < 0.56
    assert sum(p <= 0.05 for p in chances) <= 2
    assert 0.25 < float(np.mean(chances)) < 0.75


def test_labels_that_only_tell_the_sex_are_unmasked() -> None:
    data = customers(sex_effect=0.4, speakers=100, seed=3)
    _, held, chance = worked(data)
    assert statistics.auc(sex_alone(data), data.y) > 0.8
    assert statistics.auc(measure_alone(data.values[:, PITCH], data.y), data.y) > 0.75
    assert statistics.auc(held.score, data.y) < 0.65
    assert statistics.within_group_auc(held.score, data.y, data.sex) == pytest.approx(0.5, abs=0.15)
    assert chance.within_sex > 0.05


def test_without_known_sex_no_feature_that_tells_it_is_used() -> None:
    data = customers(effect=1.5, sex_effect=0.3, sex_known=False, seed=4)
    fitted, held, chance = worked(data, deals=20)
    bound = [place for place, name in enumerate(HEAD_FEATURES) if BY_NAME[name].sex_bound]
    for group in GROUPS:
        assert (fitted.head.coefficients[group][0, bound] == 0).all()
    assert statistics.auc(held.score, data.y) > 0.7
    assert fitted.own_groups == ()
    assert math.isnan(chance.within_sex)


def test_few_people_of_one_sex_share_the_reference_of_all() -> None:
    data = customers(effect=1.0)
    men = np.unique(data.speaker[data.sex == MALE])[:9]
    keep = (data.sex == FEMALE) | np.isin(data.speaker, men)
    unknown = replace(data, sex=np.where(keep, data.sex, POOLED))
    fitted, _, _ = worked(unknown, deals=1)
    assert fitted.own_groups == (FEMALE,)


def test_labels_that_change_within_a_speaker() -> None:
    data = customers(effect=1.2, changing=True)
    _, held, chance = worked(data, deals=20)
    assert statistics.auc(held.score, data.y) > 0.75
    assert chance.p == pytest.approx(1 / 21)


def test_words_count_as_much_as_they_tell() -> None:
    telling, idle, none = (customers(effect=1.0, words=words, seed=5) for words in (2.0, 0.0, None))
    fitted, held, _ = worked(telling, deals=1)
    assert fitted.word_weight > 1
    assert statistics.auc(held.score, telling.y) > statistics.auc(held.voice, telling.y) + 0.03
    assert worked(idle, deals=1)[0].word_weight < 0.4
    assert worked(none, deals=1)[0].word_weight == WORD_WEIGHT


def test_words_alone_never_weigh_without_bound_nor_against_the_voice() -> None:
    assert worked(customers(words=3.0, seed=6), deals=1)[0].word_weight == customer_fit.WORD_WEIGHT_LIMIT
    assert worked(customers(effect=1.0, words=-3.0, seed=6), deals=1)[0].word_weight == 0


def test_the_weight_of_words_is_kept_where_fewer_than_half_have_a_text() -> None:
    data = customers(effect=1.0, words=2.0)
    few = replace(data, spoken=np.arange(len(data)) % 5 < 2)
    assert worked(few, deals=1)[0].word_weight == WORD_WEIGHT


def test_held_out_scores_are_ranks_among_the_peers_of_the_sex() -> None:
    data = customers(effect=1.5)
    fitted, held, _ = worked(data, deals=1)
    shares = 1 / (1 + np.exp(-held.voice))
    for sex in (MALE, FEMALE):
        assert float(np.median(shares[data.sex == sex])) == pytest.approx(0.5, abs=0.12)
        reference = fitted.head.reference[sex]
        assert (np.diff(reference) > 0).all()
        assert reference[49] == 0


def test_the_finished_head_gives_its_peers_even_ranks() -> None:
    data = customers()
    design = customer_fit.design_of(data, groups())
    logits = customer_fit.share_logits(customer_fit.fit(design, WORD_WEIGHT).head, design)
    shares = 1 / (1 + np.exp(-logits))
    assert float(np.median(shares)) == pytest.approx(0.5, abs=0.1)
    assert shares.min() < 0.15
    assert shares.max() > 0.85


def test_a_voice_without_measurements_gets_the_score_of_a_usual_one() -> None:
    data = customers(effect=1.5)
    design = customer_fit.design_of(data, groups())
    head = customer_fit.fit(design, WORD_WEIGHT).head
    unmeasured = customer_fit.design_of(replace(data, values=np.full((len(data), WIDTH), np.nan)), groups())
    logits = customer_fit.share_logits(head, unmeasured)
    assert np.isfinite(logits).all()
    assert len(np.unique(logits[data.sex == MALE].round(9))) == 1


def test_the_order_of_the_file_changes_nothing() -> None:
    data = customers(effect=1.0)
    turned = data.where(np.arange(len(data))[::-1])
    places = customer_fit.folds(data.speaker, data.y)
    assert (customer_fit.folds(turned.speaker, turned.y)[::-1] == places).all()
    first, second = (customer_fit.hold_out(customer_fit.design_of(d, groups()), 1.5) for d in (data, turned))
    assert second.score[::-1] == pytest.approx(first.score, abs=1e-9)


def test_no_speaker_is_in_two_folds_and_folds_are_alike() -> None:
    data = customers()
    places = customer_fit.folds(data.speaker, data.y)
    for speaker in np.unique(data.speaker):
        assert len(set(places[data.speaker == speaker])) == 1
    shares = [float(data.y[places == number].mean()) for number in range(customer_fit.FOLDS)]
    assert max(shares) - min(shares) < 0.1
    assert min(np.bincount(places)) >= 0.8 * len(data) / customer_fit.FOLDS


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        ({"speakers": 49}, ["49 speakers (at least 50)"]),
        ({"positive": 19}, ["19 positive recordings (at least 20)"]),
        ({"negative": 12}, ["12 negative recordings (at least 20)"]),
        ({"speakers": 20, "positive": 5}, ["20 speakers (at least 50)", "5 positive recordings (at least 20)"]),
    ],
)
def test_too_few_labels_are_named(keep: dict[str, Any], said: list[str]) -> None:
    speakers = np.repeat(np.arange(keep.get("speakers", 60)), 2)
    y = np.arange(len(speakers)) % 4 < 2
    if "positive" in keep:
        y = np.arange(len(speakers)) < keep["positive"]
    if "negative" in keep:
        y = np.arange(len(speakers)) >= keep["negative"]
    assert customer_fit.shortages(y.astype(np.int8), speakers) == said


def test_positives_of_a_handful_of_people_are_too_few() -> None:
    speakers = np.repeat(np.arange(60), 10)
    y = (speakers < 9).astype(np.int8)
    assert customer_fit.shortages(y, speakers) == ["positive recordings of 9 speakers (at least 10)"]
    assert customer_fit.shortages((speakers < 10).astype(np.int8), speakers) == []

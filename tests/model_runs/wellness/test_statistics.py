"""Statistics against worked examples, brute force and what simulated data must show."""

from __future__ import annotations

import math

import numpy as np
import pytest

from apps.model_runs.wellness.training import statistics


def pairs(scores: np.ndarray, y: np.ndarray) -> float:
    """AUC by counting pairs."""
    wins = [(p > n) + (p == n) / 2 for p in scores[y == 1] for n in scores[y == 0]]
    return float(np.mean(wins))


def test_auc_counts_pairs_and_halves_ties() -> None:
    assert statistics.auc(np.array([1.0, 2, 3, 4]), np.array([0, 0, 1, 1])) == 1
    assert statistics.auc(np.array([1.0, 1, 1, 1]), np.array([0, 1, 0, 1])) == 0.5
    rng = np.random.default_rng(1)
    scores, y = rng.integers(0, 9, 80).astype(float), rng.integers(0, 2, 80)
    assert statistics.auc(scores, y) == pytest.approx(pairs(scores, y), abs=1e-12)


def test_auc_of_one_class_is_unknown() -> None:
    only = np.ones(3)
    assert math.isnan(statistics.auc(np.arange(3.0), only))
    assert all(map(math.isnan, statistics.auc_interval(np.arange(3.0), only)))
    assert all(map(math.isnan, statistics.auc_interval_by_speaker(np.arange(3.0), only, np.array(list("abc")))))


def test_delong_by_its_definition() -> None:
    rng = np.random.default_rng(2)
    y = (rng.random(60) < 0.4).astype(int)
    scores = rng.standard_normal(60) + y
    positive, negative = scores[y == 1], scores[y == 0]
    wins = (positive[:, None] > negative).astype(float)
    error = math.sqrt(wins.mean(axis=1).var(ddof=1) / len(positive) + wins.mean(axis=0).var(ddof=1) / len(negative))
    area, low, high = statistics.auc_interval(scores, y)
    assert area == pytest.approx(wins.mean())
    assert (low, high) == pytest.approx((area - 1.959964 * error, min(1, area + 1.959964 * error)))


def test_delong_holds_the_true_area_in_about_95_of_100_samples() -> None:
    rng = np.random.default_rng(3)
    y = np.repeat([1, 0], (40, 60))
    truth = 0.7602  # of two normals one standard deviation apart
    held = 0
    for _ in range(400):
        _, low, high = statistics.auc_interval(rng.standard_normal(100) + y, y)
        held += low <= truth <= high
    assert 0.91 <= held / 400 <= 0.98


def test_complete_separation_is_not_certainty() -> None:
    y = np.repeat([0, 1], 10)
    area, low, high = statistics.auc_interval(y.astype(float), y)
    assert (area, high) == (1, 1)
    assert low == pytest.approx(0.7225, abs=1e-3)
    speakers = np.repeat(np.arange(5), 4)
    assert statistics.auc_interval_by_speaker(y.astype(float), y, speakers)[1] < low


def test_recordings_of_few_speakers_are_less_sure_than_their_number_says() -> None:
    rng = np.random.default_rng(4)
    speakers = np.repeat(np.arange(40), 10)
    y = np.repeat(rng.permutation(np.arange(40) % 2), 10)
    scores = 0.7 * y + np.repeat(rng.standard_normal(40), 10) + 0.2 * rng.standard_normal(400)
    area, low, high = statistics.auc_interval(scores, y)
    same, wide_low, wide_high = statistics.auc_interval_by_speaker(scores, y, speakers)
    assert same == area
    assert wide_high - wide_low > 1.8 * (high - low)
    assert statistics.auc_interval_by_speaker(scores, y, speakers) == (same, wide_low, wide_high)


def test_the_bootstrap_holds_the_true_area_in_about_95_of_100_samples_of_speakers() -> None:
    rng = np.random.default_rng(5)
    speakers, y = np.repeat(np.arange(60), 3), np.repeat(np.arange(60) % 2, 3)
    truth = 0.7602
    held = 0
    for _ in range(60):
        spoken = np.repeat(rng.standard_normal(60), 3) * np.sqrt(0.7) + rng.standard_normal(180) * np.sqrt(0.3)
        _, low, high = statistics.auc_interval_by_speaker(spoken + y, y, speakers)
        held += low <= truth <= high
    assert 0.85 <= held / 60 <= 0.99


def test_within_groups_only_pairs_of_one_group_count() -> None:
    sex = np.repeat(["FEMALE", "MALE"], 1_000)
    rng = np.random.default_rng(6)
    y = np.concatenate([np.arange(1_000) % 4 > 0, np.arange(1_000) % 4 == 0]).astype(int)
    scores = 5.0 * (sex == "FEMALE") + rng.standard_normal(2_000)
    assert statistics.auc(scores, y) > 0.7
    assert statistics.within_group_auc(scores, y, sex) == pytest.approx(0.5, abs=0.05)
    two = np.array(["a", "a", "b", "b", "c"])
    assert statistics.within_group_auc(np.array([1.0, 2, 2, 1, 9]), np.array([0, 1, 0, 1, 1]), two) == 0.5
    assert math.isnan(statistics.within_group_auc(np.array([1.0, 2]), np.array([0, 1]), np.array(["a", "b"])))


def test_the_interval_within_groups_holds_the_figure_within_groups() -> None:
    rng = np.random.default_rng(14)
    sex = np.repeat(["FEMALE", "MALE"], 60)
    y = np.concatenate([np.arange(60) % 4 > 0, np.arange(60) % 4 == 0]).astype(int)
    scores = 5.0 * (sex == "FEMALE") + rng.standard_normal(120)
    area, low, high = statistics.auc_interval_by_speaker(scores, y, np.arange(120), sex)
    assert area == statistics.within_group_auc(scores, y, sex)
    assert low < area < high < statistics.auc(scores, y)


def test_an_interval_of_what_is_never_known_is_unknown() -> None:
    assert all(map(math.isnan, statistics.interval_by_speaker(lambda rows: float("nan"), np.arange(4))))
    low, high = statistics.interval_by_speaker(lambda rows: float(rows.mean()), np.arange(100))
    assert 38 < low < 46
    assert 53 < high < 61


def test_the_curve_runs_from_corner_to_corner_and_has_the_area() -> None:
    rng = np.random.default_rng(7)
    scores, y = rng.integers(0, 6, 50).astype(float), rng.integers(0, 2, 50)
    false, true = statistics.roc_curve(scores, y)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert (np.diff(false) >= 0).all()
    assert (np.diff(true) >= 0).all()
    assert np.trapezoid(true, false) == pytest.approx(statistics.auc(scores, y))


def test_dealing_keeps_what_speakers_have_in_common() -> None:
    speakers = np.repeat(np.arange(30), 4)
    rng = np.random.default_rng(8)
    constant = np.repeat(np.arange(30) % 3 == 0, 4).astype(int)
    dealt = statistics.dealt_labels(constant, speakers, rng)
    assert dealt.sum() == constant.sum()
    assert set(dealt.reshape(30, 4).sum(axis=1)) == {0, 4}
    assert (dealt != constant).any()

    mixed = np.tile([0, 1, 0, 0], 30)
    dealt = statistics.dealt_labels(mixed, speakers, rng)
    assert set(dealt.reshape(30, 4).sum(axis=1)) == {1}
    assert (dealt.reshape(30, 4).sum(axis=0) < 20).all()


def test_speakers_exchange_inside_their_stratum_only() -> None:
    speakers = np.repeat(np.arange(20), 2)
    sex = np.repeat(["FEMALE", "MALE"], 20)
    y = np.concatenate([np.repeat([1, 0], (16, 4)), np.repeat([1, 0], (4, 16))])
    dealt = statistics.dealt_labels(y, speakers, np.random.default_rng(9), sex)
    assert dealt[:20].sum() == 16
    assert dealt[20:].sum() == 4
    assert (dealt != y).any()


def test_the_order_of_the_recordings_does_not_matter_to_whom_they_belong() -> None:
    speakers = np.array(list("abcabcabc"))
    y = np.array([1, 0, 0, 1, 0, 0, 1, 0, 0])
    dealt = statistics.dealt_labels(y, speakers, np.random.default_rng(10))
    assert sorted(int(dealt[speakers == name].sum()) for name in "abc") == [0, 0, 3]


def test_p_is_small_for_an_effect_and_even_without_one() -> None:
    rng = np.random.default_rng(11)
    speakers, y = np.repeat(np.arange(50), 4), np.repeat(rng.permutation(50) % 2, 4)
    voices = np.repeat(rng.standard_normal(50), 4)
    assert statistics.permutation_p(voices + 1.5 * y, y, speakers, draws=500) < 0.01
    found = []
    for _ in range(120):
        noise = np.repeat(rng.standard_normal(50), 4) + 0.1 * rng.standard_normal(200)
        found.append(statistics.permutation_p(noise, y, speakers, draws=99))
    # Were recordings dealt one by one, about a quarter of these would be below .05: voices of one speaker are alike.
    assert sum(p <= 0.05 for p in found) <= 14
    assert 0.4 < float(np.mean(found)) < 0.6


def test_p_within_strata_does_not_see_what_tells_the_strata_apart() -> None:
    rng = np.random.default_rng(12)
    sex = np.repeat(["FEMALE", "MALE"], 60)
    y = np.concatenate([np.arange(60) % 4 > 0, np.arange(60) % 4 == 0]).astype(int)
    scores = 3.0 * (sex == "FEMALE") + rng.standard_normal(120)
    speakers = np.arange(120)
    assert statistics.permutation_p(scores, y, speakers, draws=300) < 0.01
    assert statistics.permutation_p(scores, y, speakers, sex, draws=300) > 0.05


def test_p_is_never_zero_and_unknown_without_both_classes() -> None:
    assert statistics.p_of(1.0, np.array([0.5, 0.4, np.nan])) == pytest.approx(1 / 3)
    assert statistics.p_of(0.5, np.array([0.5, 0.4, 0.6])) == pytest.approx(3 / 4)
    assert math.isnan(statistics.p_of(float("nan"), np.array([0.5])))


def test_wilson_by_worked_examples() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for successes, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert statistics.wilson(successes, n) == pytest.approx((low, high), abs=5e-5)
    assert statistics.wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert statistics.wilson(20, 20)[1] == 1
    assert statistics.wilson(0, 0) == (0, 1)


def test_calibration_of_honest_and_of_bold_predictions() -> None:
    rng = np.random.default_rng(13)
    truth = rng.normal(0, 1.2, 6_000)
    y = (rng.random(6_000) < 1 / (1 + np.exp(-truth))).astype(int)
    honest = statistics.calibration(1 / (1 + np.exp(-truth)), y)
    assert honest.slope == pytest.approx(1, abs=0.08)
    assert honest.intercept == pytest.approx(0, abs=0.08)
    assert honest.expected_error < 0.03
    assert sum(part.count for part in honest.bins) == 6_000
    assert len(honest.bins) == 10
    assert honest.brier < honest.brier_of_base_rate

    bold = statistics.calibration(1 / (1 + np.exp(-2 * truth - 1)), y)
    assert bold.slope == pytest.approx(0.5, abs=0.05)
    assert bold.intercept == pytest.approx(-0.5, abs=0.08)
    assert bold.expected_error > 0.08
    assert bold.brier > honest.brier


def test_equal_predictions_share_a_bin_and_extremes_stay_finite() -> None:
    flat = statistics.calibration(np.full(30, 0.2), np.arange(30) % 5 == 0)
    assert [part.count for part in flat.bins] == [30]
    assert (flat.bins[0].predicted, flat.bins[0].observed) == pytest.approx((0.2, 0.2))
    sharp = statistics.calibration(np.repeat([0.0, 1.0], 10), np.repeat([0, 1], 10))
    assert math.isfinite(sharp.slope)
    assert sharp.brier == 0

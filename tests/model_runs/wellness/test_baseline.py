"""What is usual for a person, and when a new reading differs from it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.model_runs.wellness.baseline import (
    FEW_DAYS,
    MAD_TO_SD,
    SPREAD_FLOOR,
    WINDOW_DAYS,
    Comparison,
    Reading,
    Usual,
    compare,
    usual,
)

TODAY = date(2026, 5, 20)
NAME = "uniformStress"
VALUES = (0.30, 0.42, 0.38, 0.50, 0.36, 0.40)


def reading(value: float | None, days_ago: int = 0, quality: str | None = "GOOD", version: str = "1") -> Reading:
    return Reading(TODAY - timedelta(days=days_ago), {NAME: value}, quality, version)


def series(values: Sequence[float | None]) -> list[Reading]:
    """One reading a day, the last of them yesterday."""
    return [reading(value, days_ago) for days_ago, value in enumerate(reversed(values), start=1)]


def known(readings: Sequence[Reading], **options: int) -> Usual:
    return usual(readings, NAME, model_version="1", before=TODAY, **options)


def compared(values: Sequence[float | None], current: float | None) -> Comparison:
    return compare(series(values), reading(current))[NAME]


# --- The figures ---
def test_median_spread_band_and_minimum_detectable_change() -> None:
    found = known(series(VALUES))
    # sorted .30 .36 .38 .40 .42 .50: median .39; distances .01 .01 .03 .03 .09 .11: median .03
    spread = 0.03 * MAD_TO_SD
    assert (found.ready, found.runs_used, found.days_used) == (True, 6, 6)
    assert found.median == pytest.approx(0.39)
    assert found.spread == pytest.approx(spread)
    assert (found.low, found.high) == pytest.approx((0.39 - 1.96 * spread, 0.39 + 1.96 * spread))
    assert found.minimum_detectable_change == pytest.approx(1.96 * math.sqrt(2) * spread * FEW_DAYS[6])


def test_a_reading_is_compared_in_the_persons_own_standard_deviations() -> None:
    comparison = compared(VALUES, 0.39 + 10 * 0.03 * MAD_TO_SD)
    assert comparison.deviation == pytest.approx(10.0)
    assert comparison.changed
    assert comparison.text == (
        "Stress is higher than usual for this person: 0.83 against a median of 0.39; "
        "a difference above 0.19 is more than their ordinary ups and downs."
    )
    below = compared(VALUES, 0.10)
    assert below.changed
    assert "Stress is lower than usual" in below.text


def test_a_small_difference_is_no_change() -> None:
    comparison = compared(VALUES, 0.5)
    assert comparison.deviation == pytest.approx(0.11 / 0.03 / MAD_TO_SD)
    assert not comparison.changed
    assert comparison.text == "Stress is within what is usual for this person: 0.50 against a median of 0.39."


def test_equal_values_have_the_least_spread_and_not_none() -> None:
    found = known(series([0.5] * 20))
    assert found.spread == SPREAD_FLOOR
    assert not compared([0.5] * 20, 0.58).changed
    comparison = compared([0.5] * 20, 0.6)
    assert comparison.changed
    assert comparison.deviation == pytest.approx(0.1 / SPREAD_FLOOR)


def test_the_band_stays_within_the_range_of_a_score() -> None:
    assert known(series([0.01] * 5)).low == 0.0
    assert known(series([0.99] * 5)).high == 1.0


def test_the_scores_have_names_that_people_read() -> None:
    names = {
        "mentalStrain": "Mental strain", "uniformSleepPropensity": "Sleepiness", "lowSelfEsteem": "Low self-esteem",
        "uniformDistress": "Distress", "exhaustion": "Exhaustion",
    }  # fmt: skip
    found = compare([], Reading(TODAY, dict.fromkeys(names, 0.5), "GOOD", "1"))
    assert list(found) == list(names)
    for name, title in names.items():
        assert found[name].text == f"{title} is compared from 5 earlier days on; so far there are 0."


# --- What counts ---
def test_five_days_are_needed() -> None:
    for count in range(5):
        found = known(series(VALUES[:count]))
        assert (found.ready, found.days_used) == (False, count)
        assert (found.median, found.spread, found.low, found.high, found.minimum_detectable_change) == (None,) * 5
        comparison = compared(VALUES[:count], 0.99)
        assert (comparison.deviation, comparison.changed) == (None, False)
    assert known(series(VALUES[:5])).ready


def test_many_runs_on_four_days_are_not_five_days() -> None:
    found = known([reading(0.4, days_ago) for days_ago in (1, 2, 3, 4) for _ in range(3)])
    assert (found.ready, found.runs_used, found.days_used) == (False, 12, 4)


def test_the_runs_of_one_day_count_as_their_median() -> None:
    others = series([0.40, 0.42, 0.44, 0.46])
    crowded = [reading(value, 10) for value in (0.10, 0.48, 0.90)]
    found = known(others + crowded)
    assert (found.runs_used, found.days_used) == (7, 5)
    assert found.median == pytest.approx(0.44)
    one = known([*others, reading(0.48, 10)])
    assert replace(found, runs_used=5) == one


@pytest.mark.parametrize(
    "excluded",
    [
        reading(0.9, 6, quality="POOR"), reading(0.9, 6, version="2"), reading(None, 6), reading(math.nan, 6),
        reading(math.inf, 6), reading(-0.1, 6), reading(1.1, 6), reading(0.9, 0), reading(0.9, -1),
        reading(0.9, WINDOW_DAYS + 1), Reading(TODAY - timedelta(days=6), {"mentalStrain": 0.9}, "GOOD", "1"),
    ],
)  # fmt: skip
def test_what_does_not_count(excluded: Reading) -> None:
    assert known([*series(VALUES[:5]), excluded]) == known(series(VALUES[:5]))
    assert not known([*series(VALUES[:4]), excluded]).ready


def test_fair_and_unknown_quality_count() -> None:
    for quality in ("FAIR", None):
        assert known([*series(VALUES[:4]), reading(0.4, 6, quality=quality)]).ready


def test_the_window_ends_the_day_before_and_holds_its_number_of_days() -> None:
    four = [reading(0.4, days_ago) for days_ago in (1, 2, 3, 4)]
    assert known([*four, reading(0.4, WINDOW_DAYS)]).ready
    assert not known([*four, reading(0.4, WINDOW_DAYS + 1)]).ready
    assert known([*four, reading(0.4, 7)], window_days=7).ready
    assert not known([*four, reading(0.4, 8)], window_days=7).ready


def test_a_reading_of_poor_quality_or_without_a_value_is_not_judged() -> None:
    for current, words in ((reading(0.99, quality="POOR"), "too poor"), (reading(math.nan), "no value")):
        comparison = compare(series(VALUES), current)[NAME]
        assert comparison.usual.ready
        assert (comparison.deviation, comparison.changed) == (None, False)
        assert words in comparison.text


def test_readings_of_the_day_itself_are_not_among_what_they_are_compared_with() -> None:
    earlier = [*series(VALUES), *(reading(0.9) for _ in range(9))]
    assert compare(earlier, reading(0.9)) == compare(series(VALUES), reading(0.9))


@pytest.mark.parametrize(("window_days", "min_days"), [(90, 4), (90, 0), (4, 5), (90, 91), (-1, -1)])
def test_bounds_that_make_no_sense_are_refused(window_days: int, min_days: int) -> None:
    with pytest.raises(ValueError, match="min_days is at least 5"):
        known([], window_days=window_days, min_days=min_days)


# --- Properties ---
score = st.floats(0, 1)
scores = st.lists(score, min_size=5, max_size=30)


@given(scores, st.randoms())
def test_the_order_of_the_readings_is_of_no_effect(values: list[float], chance: random.Random) -> None:
    readings = [*series(values), *series(values[::-2])]
    shuffled = readings[:]
    chance.shuffle(shuffled)
    assert known(shuffled) == known(readings)


@given(st.lists(st.floats(0.4, 0.6), min_size=5, max_size=30), st.floats(0.4, 0.6), st.floats(-0.4, 0.4))
def test_a_shift_of_all_values_moves_the_median_alone(values: list[float], current: float, shift: float) -> None:
    here, there = compared(values, current), compared([value + shift for value in values], current + shift)
    assert here.usual.median is not None
    assert there.usual.median == pytest.approx(here.usual.median + shift, abs=1e-9)
    assert there.usual.spread == pytest.approx(here.usual.spread, abs=1e-9)
    assert there.usual.minimum_detectable_change == pytest.approx(here.usual.minimum_detectable_change, abs=1e-9)
    assert there.deviation == pytest.approx(here.deviation, abs=1e-6)


@given(st.lists(st.floats(0.4, 0.5), min_size=7, max_size=30), st.lists(score, min_size=1, max_size=3))
def test_a_few_wild_days_cannot_move_the_median_out_of_the_others(values: list[float], wild: list[float]) -> None:
    found = known(series([*values, *wild]))
    assert found.median is not None
    assert found.spread is not None
    assert min(values) <= found.median <= max(values)
    assert found.spread <= max(SPREAD_FLOOR, MAD_TO_SD * 0.1 + 1e-9)


@given(
    st.lists(st.one_of(st.none(), st.floats(), score), max_size=20),
    st.one_of(st.none(), st.floats()),
    st.sampled_from(["GOOD", "FAIR", "POOR", None]),
)
def test_every_figure_is_a_number(values: list[float | None], current: float | None, quality: str | None) -> None:
    comparison = compare(series(values), reading(current, quality=quality))[NAME]
    found = comparison.usual
    figures = [found.median, found.spread, found.low, found.high, found.minimum_detectable_change]
    assert all(figure is not None and math.isfinite(figure) for figure in figures) is found.ready
    assert comparison.deviation is None or math.isfinite(comparison.deviation)
    assert comparison.text.endswith(".")
    assert "nan" not in comparison.text
    if found.low is not None and found.high is not None and found.median is not None:
        assert 0 <= found.low <= found.median <= found.high <= 1


@pytest.mark.parametrize("days", [5, 6, 7, 8, 10, 13, 30])
def test_at_most_one_unchanged_reading_in_twenty_is_called_a_change(days: int) -> None:
    chance = random.Random(days)
    trials = 1_500
    alarms = sum(
        compared([chance.gauss(0.5, 0.09) for _ in range(days)], chance.gauss(0.5, 0.09)).changed for _ in range(trials)
    )
    assert alarms / trials < 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)
    assert alarms > 0

"""The law of how far parts stray, on cases made by a known law."""

from __future__ import annotations

import numpy as np
import pytest

from apps.model_runs.wellness.confidence import CONDITIONS
from apps.model_runs.wellness.training.straying import (
    LEAST_SLOPES,
    Parts,
    bounds,
    covered,
    fit_straying,
    share_that_covers,
)


def parts(slope: float, pull: float = 0.0, seed: int = 1, n: int = 6_000) -> Parts:
    """Cases whose spread grows with the first condition by `slope`; the others do nothing."""
    rng = np.random.default_rng(seed)
    conditions = rng.uniform(0, 1.5, (n, len(CONDITIONS)))
    own = 1.5 * rng.standard_normal(n)
    whole = (1 + pull) * own + np.exp(-1 + slope * conditions[:, 0]) * rng.standard_normal(n)
    return Parts({"stress": own}, {"stress": whole}, conditions, np.ones(n))


@pytest.mark.parametrize(("slope", "pull"), [(0.8, 0.0), (1.2, -0.4), (0.3, -0.1)])
def test_intervals_fitted_on_some_cases_hold_for_others(slope: float, pull: float) -> None:
    law, others = fit_straying(parts(slope, pull), "stress"), parts(slope, pull, seed=2)
    assert covered(law, others, "stress").mean() == pytest.approx(0.8, abs=0.02)
    assert law.pull == pytest.approx(pull, abs=0.05)
    hard = others.conditions[:, 0] > 1
    assert covered(law, others, "stress")[hard].mean() == pytest.approx(0.8, abs=0.05)


def test_what_widens_is_found_and_nothing_narrows() -> None:
    law = fit_straying(parts(1.0), "stress")
    assert law.slopes[0] == pytest.approx(1.0, abs=0.25)
    assert (law.slopes >= LEAST_SLOPES).all()
    narrowing = fit_straying(parts(-1.0), "stress")
    assert narrowing.slopes[0] == LEAST_SLOPES[0]


def test_the_parts_own_value_lies_inside() -> None:
    cases = parts(0.5, pull=-0.6)
    low, high = bounds(fit_straying(cases, "stress"), cases.own["stress"], cases.conditions)
    assert (low <= cases.own["stress"]).all()
    assert (cases.own["stress"] <= high).all()


def test_cases_weigh_as_they_are_told() -> None:
    cases = parts(0.5)
    doubtful = np.abs(cases.whole["stress"]) > 2
    heavy = Parts(cases.own, cases.whole, cases.conditions, np.where(doubtful, 20.0, 1.0))
    wide, narrow = (np.subtract(*bounds(fit_straying(found, "stress"), np.zeros(1), np.zeros((1, 5)))[::-1])
                    for found in (heavy, cases))  # fmt: skip
    assert wide[0] > narrow[0]


def test_a_stretch_that_covers_is_found() -> None:
    rng = np.random.default_rng(4)
    whole = rng.standard_normal(20_000)
    ones = np.ones(len(whole))
    assert share_that_covers(0 * ones, whole, ones, ones, ones) == pytest.approx(1.2816, abs=0.03)
    # Twice as far below as above: the cut lies where each side is judged by its own reach.
    share = share_that_covers(0 * ones, whole, 2 * ones, ones, ones)
    assert ((whole > -2 * share) & (whole < share)).mean() == pytest.approx(0.8, abs=0.01)

"""Shares of the peers, buckets and the composite."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.model_runs.wellness.heads import GROUPS, VoiceModel, load_voice
from apps.model_runs.wellness.interface import DIMENSIONS, Limits
from apps.model_runs.wellness.scores import (
    BUCKETS,
    SCORES,
    bucket,
    continuous,
    mental_strain,
    percentile,
    score,
    to_logit,
    to_share,
    uniform_name,
)

CUTS = (0.25, 0.50, 0.75)
API_NAMES = [
    "mentalStrain", "distress", "stress", "exhaustion", "sleepPropensity", "lowSelfEsteem", "uniformDistress",
    "uniformStress", "uniformExhaustion", "uniformSleepPropensity", "uniformLowSelfEsteem",
]  # fmt: skip

logit = st.floats(-40, 40)
share = st.floats(0, 1)


@pytest.fixture(scope="module")
def model() -> VoiceModel:
    return load_voice()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, 0.0), (0.25, 0.0), (0.2501, 0.33), (0.5, 0.33), (0.5001, 0.66), (0.75, 0.66), (0.7501, 1.0), (1.0, 1.0)],
)
def test_a_value_equal_to_a_cut_falls_in_the_lower_bucket(value: float, expected: float) -> None:
    assert bucket(value, CUTS) == expected


@given(share, share)
def test_buckets_never_fall_as_the_value_rises(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert bucket(low, CUTS) <= bucket(high, CUTS)
    assert bucket(low, CUTS) in BUCKETS


def test_the_bucket_comes_from_the_rounded_value() -> None:
    # A share of 0.25004 is sent as 0.25, which is the lower bucket.
    logits = dict.fromkeys(DIMENSIONS, 0.0) | {"stress": float(to_logit(0.25004))}
    coarse = score(logits, Limits(score_decimals=4))
    assert (coarse["uniformStress"], coarse["stress"]) == (0.25, 0.0)
    fine = score(logits, Limits(score_decimals=6))
    assert fine["uniformStress"] == pytest.approx(0.25004)
    assert fine["stress"] == 0.33


@given(st.floats(0.001, 0.999))
def test_a_share_comes_back_from_its_logit(value: float) -> None:
    assert to_share(float(to_logit(value))) == pytest.approx(value, abs=1e-9)


@given(share)
def test_the_logit_of_any_share_is_finite(value: float) -> None:
    assert abs(float(to_logit(value))) < 7


@given(st.lists(share, min_size=5, max_size=5))
def test_mental_strain_is_the_mean_of_the_five(values: list[float]) -> None:
    assert mental_strain(values) == pytest.approx(sum(values) / 5)
    assert min(values) - 1e-9 <= mental_strain(values) <= max(values) + 1e-9


@pytest.mark.parametrize("count", [0, 4, 6])
def test_mental_strain_takes_five_values(count: int) -> None:
    with pytest.raises(ValueError, match="5 values"):
        mental_strain([0.5] * count)


@given(logit, logit, st.sampled_from(GROUPS), st.sampled_from(["stress", "distress", "exhaustion"]))
def test_percentiles_rise_with_the_logit_and_stay_inside(first: float, second: float, group: str, head: str) -> None:
    reference = load_voice().heads[head].reference[group]
    low, high = sorted((first, second))
    assert 0 <= percentile(reference, low) <= percentile(reference, high) <= 1


@given(st.floats(-30, 30), st.sampled_from(GROUPS), st.sampled_from(["stress", "distress", "exhaustion"]))
def test_a_small_step_of_the_logit_is_a_small_step_of_the_percentile(at: float, group: str, head: str) -> None:
    reference = load_voice().heads[head].reference[group]
    assert abs(percentile(reference, at + 0.01) - percentile(reference, at)) < 0.01


def test_percentiles_of_the_reference_are_its_own(model: VoiceModel) -> None:
    reference = model.heads["distress"].reference["FEMALE"]
    for place in (0, 9, 49, 98):
        assert percentile(reference, reference[place]) == pytest.approx((place + 1) / 100)


def test_beyond_the_reference_two_voices_still_differ(model: VoiceModel) -> None:
    reference = model.heads["stress"].reference["POOLED"]
    span = reference[-1] - reference[0]
    for values in ([reference[-1] + span * step for step in (0.1, 0.2, 0.3)],):
        shares = [percentile(reference, value) for value in values]
        assert 0.99 < shares[0] < shares[1] < shares[2] < 1


def test_the_eleven_values_by_their_api_names() -> None:
    values = score(dict(zip(DIMENSIONS, (-3.0, -0.5, 0.0, 1.0, 2.0), strict=True)), Limits())
    assert list(values) == API_NAMES
    for name in DIMENSIONS:
        assert values[name] == bucket(values[uniform_name(name)], CUTS)
        assert values[uniform_name(name)] == round(values[uniform_name(name)], 4)
    assert values["mentalStrain"] == pytest.approx(
        np.mean([values[uniform_name(name)] for name in DIMENSIONS]), abs=1e-4
    )
    assert list(continuous(values)) == list(SCORES)
    assert continuous(values)["stress"] == values["uniformStress"]

"""Percentiles, buckets, the composite, and how far each can be trusted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.model_runs.wellness.confidence import QUALITY_LEVELS, confidence, evidence
from apps.model_runs.wellness.heads import GROUPS, VoiceModel, load_model
from apps.model_runs.wellness.interface import DIMENSIONS, Limits
from apps.model_runs.wellness.scores import (
    BUCKETS,
    SCORES,
    bucket,
    continuous,
    mental_strain,
    percentile,
    score,
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
    return load_model()


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


def test_the_bucket_comes_from_the_rounded_value(model: VoiceModel) -> None:
    # A percentile of 0.25004 is sent as 0.25, which is the lower bucket.
    reference = model.heads["stress"].reference["MALE"]
    logits = dict.fromkeys(DIMENSIONS, 0.0) | {"stress": float(np.interp(0.25004, np.arange(1, 100) / 100, reference))}
    coarse = score(model, "MALE", logits, Limits(score_decimals=4))
    assert (coarse["uniformStress"], coarse["stress"]) == (0.25, 0.0)
    fine = score(model, "MALE", logits, Limits(score_decimals=6))
    assert fine["uniformStress"] == pytest.approx(0.25004)
    assert fine["stress"] == 0.33


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
    reference = load_model().heads[head].reference[group]
    low, high = sorted((first, second))
    assert 0 <= percentile(reference, low) <= percentile(reference, high) <= 1


@given(st.floats(-30, 30), st.sampled_from(GROUPS), st.sampled_from(["stress", "distress", "exhaustion"]))
def test_a_small_step_of_the_logit_is_a_small_step_of_the_percentile(at: float, group: str, head: str) -> None:
    reference = load_model().heads[head].reference[group]
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


def test_the_eleven_values_by_their_api_names(model: VoiceModel) -> None:
    values = score(model, "FEMALE", dict(zip(DIMENSIONS, (-3.0, -0.5, 0.0, 1.0, 2.0), strict=True)), Limits())
    assert list(values) == API_NAMES
    for name in DIMENSIONS:
        assert values[name] == bucket(values[uniform_name(name)], CUTS)
        assert values[uniform_name(name)] == round(values[uniform_name(name)], 4)
    assert values["mentalStrain"] == pytest.approx(
        np.mean([values[uniform_name(name)] for name in DIMENSIONS]), abs=1e-4
    )
    assert list(continuous(values)) == list(SCORES)
    assert continuous(values)["stress"] == values["uniformStress"]


def test_evidence_of_the_composite_is_its_weakest(model: VoiceModel) -> None:
    assert list(evidence(model)) == list(SCORES)
    assert evidence(model)["mentalStrain"] == "literature_index"


@given(st.lists(share, min_size=6, max_size=6), st.floats(0, 200), st.sampled_from(QUALITY_LEVELS), share)
def test_an_interval_holds_its_value(values: list[float], seconds: float, quality: str, missing: float) -> None:
    given_values = {name: round(value, 4) for name, value in zip(SCORES, values, strict=True)}
    found = confidence(load_model(), given_values, seconds, quality, missing, 4)
    assert list(found) == list(SCORES)
    for name, value in given_values.items():
        trust = found[name]
        assert trust is not None
        assert 0 <= trust["low"] <= value <= trust["high"] <= 1
        assert trust["level"] in {"LOW", "MEDIUM", "HIGH"}


def widths(model: VoiceModel, seconds: float, quality: str) -> list[float]:
    found = confidence(model, dict.fromkeys(SCORES, 0.5), seconds, quality, 0.0, 6)
    return [trust["high"] - trust["low"] for trust in found.values() if trust is not None]


def test_less_speech_widens_the_interval(model: VoiceModel) -> None:
    for quality in QUALITY_LEVELS:
        for longer, shorter in itertools.pairwise((30.0, 10.0, 6.0, 3.0, 1.0)):
            pairs = zip(widths(model, longer, quality), widths(model, shorter, quality), strict=True)
            assert all(wide >= narrow for narrow, wide in pairs)
        assert min(widths(model, 2.0, quality)) > 1.3 * min(widths(model, 12.0, quality))


def test_worse_quality_widens_the_interval(model: VoiceModel) -> None:
    good, fair, poor = (widths(model, 12.0, quality) for quality in QUALITY_LEVELS)
    assert all(a <= b <= c for a, b, c in zip(good, fair, poor, strict=True))
    assert sum(good) < sum(poor)


def test_the_level_is_capped_by_the_evidence(model: VoiceModel) -> None:
    found = confidence(model, dict.fromkeys(SCORES, 0.01), 60.0, "GOOD", 0.0, 4)
    levels = {name: trust["level"] for name, trust in found.items() if trust is not None}
    assert levels == {
        "mentalStrain": "LOW",
        "distress": "MEDIUM",
        "stress": "MEDIUM",
        "exhaustion": "LOW",
        "sleepPropensity": "LOW",
        "lowSelfEsteem": "LOW",
    }


def test_missing_measurements_lower_the_level(model: VoiceModel) -> None:
    found = confidence(model, dict.fromkeys(SCORES, 0.01), 60.0, "GOOD", 0.5, 4)
    assert {trust["level"] for trust in found.values() if trust is not None} == {"LOW"}


def test_low_self_esteem_never_looks_the_most_certain(model: VoiceModel) -> None:
    for quality in QUALITY_LEVELS:
        found = confidence(model, dict.fromkeys(DIMENSIONS, 0.5), 20.0, quality, 0.0, 6)
        width = {name: trust["high"] - trust["low"] for name, trust in found.items() if trust is not None}
        assert width["lowSelfEsteem"] == max(width.values())

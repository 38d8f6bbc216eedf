"""How far each score can be trusted: intervals, what widens them, levels and their caps."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.model_runs.wellness.confidence import CONDITIONS, conditions, confidence, evidence
from apps.model_runs.wellness.fusion import Fused
from apps.model_runs.wellness.heads import load_voice
from apps.model_runs.wellness.interface import DIMENSIONS, Limits
from apps.model_runs.wellness.scores import SCORES, continuous, score

MODEL = load_voice()
CLEAN = conditions(30.0, 40.0, 8_000.0, False, 0.8)


def fused(voice: float = 0.0, words: float = 0.0, spoken: bool = False) -> dict[str, Fused]:
    found = {}
    for name, dimension in MODEL.dimensions.items():
        part = dimension.voice_weight * voice
        unknown = dimension.voice_weight == 0 and not spoken
        found[name] = Fused(part, words if spoken else 0.0, spoken, dimension.evidence, unknown)
    return found


def trust(
    parts: dict[str, Fused],
    found: np.ndarray = CLEAN,
    doubtful: bool = False,
    strange: bool = False,
    decimals: int = 6,
) -> dict[str, dict[str, Any]]:
    values = continuous(score({name: part.logit for name, part in parts.items()}, Limits(score_decimals=decimals)))
    answer = confidence(MODEL, parts, values, found, doubtful, strange, decimals)
    assert list(answer) == list(SCORES)
    result = {}
    for name, given_trust in answer.items():
        assert given_trust is not None
        assert 0 <= given_trust["low"] <= values[name] <= given_trust["high"] <= 1
        result[name] = given_trust
    return result


def widths(*args: object, **kwargs: object) -> dict[str, float]:
    return {name: found["high"] - found["low"] for name, found in trust(*args, **kwargs).items()}  # type: ignore[arg-type]


@given(
    st.floats(-6.9, 6.9), st.floats(-4.5, 4.5), st.booleans(), st.floats(0, 200), st.floats(-5, 60),
    st.floats(500, 8_000), st.booleans(), st.floats(0, 4), st.booleans(), st.booleans(),
)  # fmt: skip
def test_an_interval_holds_its_value_whatever_the_recording(
    voice: float,
    words: float,
    spoken: bool,
    seconds: float,
    snr: float,
    band: float,
    lossy: bool,
    far: float,
    doubtful: bool,
    strange: bool,
) -> None:
    found = trust(fused(voice, words, spoken), conditions(seconds, snr, band, lossy, far), doubtful, strange, 4)
    assert {answer["level"] for answer in found.values()} <= {"LOW", "MEDIUM"}
    if doubtful:
        assert {answer["level"] for answer in found.values()} == {"LOW"}


def test_conditions_are_zero_for_a_long_clean_near_recording() -> None:
    assert conditions(45.0, 35.0, 7_500.0, False, 0.9).tolist() == [0.0] * len(CONDITIONS)
    assert conditions(
        np.array([10.0, 5.0]), 20.0 + np.zeros(2), 8_000 + np.zeros(2), np.zeros(2, bool), np.ones(2)
    ).shape == (2, 5)


@pytest.mark.parametrize(
    "steps",
    [
        [conditions(s, 40.0, 8_000.0, False, 0.8) for s in (30.0, 20.0, 10.0, 5.0, 2.0)],
        [conditions(30.0, s, 8_000.0, False, 0.8) for s in (30.0, 20.0, 10.0, 0.0)],
        [conditions(30.0, 40.0, s, False, 0.8) for s in (8_000.0, 5_000.0, 3_500.0)],
        [conditions(30.0, 40.0, 8_000.0, lossy, 0.8) for lossy in (False, True)],
        [conditions(30.0, 40.0, 8_000.0, False, s) for s in (1.0, 1.5, 2.5)],
    ],
    ids=CONDITIONS,
)
def test_each_condition_widens_every_interval_of_the_voice(steps: list[np.ndarray]) -> None:
    for better, worse in itertools.pairwise(steps):
        narrow, wide = widths(fused(0.5), better), widths(fused(0.5), worse)
        for name in SCORES:
            assert wide[name] > narrow[name] or name == "lowSelfEsteem"


def test_a_score_that_nothing_speaks_for_could_be_anywhere() -> None:
    found = trust(fused(2.0))["lowSelfEsteem"]
    assert (found["low"], found["high"], found["level"]) == (0.1, 0.9, "LOW")


def test_of_a_strange_recording_nothing_is_known_but_the_score() -> None:
    for found in trust(fused(6.0), doubtful=True, strange=True).values():
        assert found["low"] <= 0.1
        assert found["high"] >= 0.9
        assert found["level"] == "LOW"


def test_words_against_the_voice_widen_the_interval() -> None:
    agreed, opposed = (widths(fused(voice, 1.0, spoken=True))["stress"] for voice in (1.0, -1.0))
    assert opposed > agreed
    assert opposed > widths(fused(1.0))["stress"]


def test_the_level_is_capped_by_the_evidence() -> None:
    levels = {name: found["level"] for name, found in trust(fused(-6.0)).items()}
    assert levels == {
        "mentalStrain": "LOW",
        "distress": "MEDIUM",
        "stress": "MEDIUM",
        "exhaustion": "LOW",
        "sleepPropensity": "LOW",
        "lowSelfEsteem": "LOW",
    }


def test_trained_evidence_may_be_highly_trusted() -> None:
    parts = {name: replace(part, evidence="customer_trained", unknown=False) for name, part in fused(-6.0).items()}
    assert trust(parts)["stress"]["level"] == "HIGH"


def test_evidence_of_the_composite_is_its_weakest() -> None:
    classes = evidence(fused())
    assert list(classes) == list(SCORES)
    assert classes["mentalStrain"] == "literature_index"
    parts = {name: replace(part, evidence="customer_trained") for name, part in fused().items()}
    assert evidence(parts)["mentalStrain"] == "customer_trained"
    assert set(classes) - {"mentalStrain"} == set(DIMENSIONS)

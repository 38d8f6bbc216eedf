"""The weights that ship, and what the heads make of features."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from apps.model_runs.wellness.explain import MOST_REASONS, explain
from apps.model_runs.wellness.features.registry import BY_NAME, HEAD_FEATURES
from apps.model_runs.wellness.heads import (
    FEMALE,
    GROUPS,
    MALE,
    POOLED,
    WEIGHTS_PATH,
    VoiceModel,
    group_of,
    load_model,
    model_from_json,
    model_to_json,
    read_voice,
)
from apps.model_runs.wellness.interface import DIMENSIONS


@pytest.fixture(scope="module")
def model() -> VoiceModel:
    return load_model()


def usual(model: VoiceModel, group: str) -> dict[str, float]:
    return dict(zip(model.features, model.groups[group].centre.tolist(), strict=True))


def test_the_shipped_weights_fit_this_code(model: VoiceModel) -> None:
    assert model.features == HEAD_FEATURES
    assert model.version.endswith("-provisional")
    assert set(model.dimensions) == set(DIMENSIONS)
    assert {dimension.head for dimension in model.dimensions.values()} == set(model.heads)


def test_weights_survive_being_written_and_read(model: VoiceModel) -> None:
    written = json.loads(WEIGHTS_PATH.read_text(encoding="utf-8"))
    assert model_to_json(model) == written
    assert model_to_json(model_from_json(json.loads(json.dumps(written)))) == written


def test_weights_of_another_format_or_shape_are_refused(model: VoiceModel) -> None:
    with pytest.raises(ValueError, match="format 99"):
        model_from_json({**model_to_json(model), "format": 99})
    damaged = json.loads(json.dumps(model_to_json(model)))
    damaged["heads"]["stress"]["coefficients"]["MALE"].pop()
    with pytest.raises(ValueError, match="stress"):
        model_from_json(damaged)
    damaged = json.loads(json.dumps(model_to_json(model)))
    damaged["heads"]["stress"]["reference"]["MALE"].reverse()
    with pytest.raises(ValueError, match="reference"):
        model_from_json(damaged)


def test_evidence_of_each_dimension(model: VoiceModel) -> None:
    assert {name: dimension.evidence for name, dimension in model.dimensions.items()} == {
        "distress": "acted_proxy",
        "stress": "acted_proxy",
        "exhaustion": "literature_index",
        "sleepPropensity": "literature_index",
        "lowSelfEsteem": "literature_index",
    }


def test_birth_sexes_choose_their_group() -> None:
    assert [group_of(sex) for sex in ("MALE", "FEMALE", "INTERSEX", "UNKNOWN")] == [MALE, FEMALE, POOLED, POOLED]


def test_without_a_birth_sex_nothing_that_tells_the_sex_has_weight(model: VoiceModel) -> None:
    bound = np.array([BY_NAME[name].sex_bound for name in model.features])
    for head in model.heads.values():
        assert not head.coefficients[POOLED][bound].any()
        assert head.coefficients[MALE][bound].all()
        assert head.coefficients[MALE].tolist() == head.coefficients[FEMALE].tolist()
    features = usual(model, POOLED)
    higher = features | {"pitchMedian": features["pitchMedian"] + 12, "pitchLow": features["pitchLow"] + 12}
    assert read_voice(model, features, "UNKNOWN").logits == read_voice(model, higher, "UNKNOWN").logits


def test_the_logit_is_zero_at_the_median_of_the_peers(model: VoiceModel) -> None:
    for head in model.heads.values():
        for group in GROUPS:
            assert head.reference[group][49] == 0.0


def test_tension_raises_stress(model: VoiceModel) -> None:
    features = usual(model, MALE)
    tense = features | {"pitchMedian": features["pitchMedian"] + 5, "pitchHigh": features["pitchHigh"] + 6}
    assert read_voice(model, tense, "MALE").logits["stress"] > read_voice(model, features, "MALE").logits["stress"] + 1


def test_low_self_esteem_is_a_quarter_of_the_distress_logit(model: VoiceModel) -> None:
    features = usual(model, FEMALE)
    logits = read_voice(model, features | {"hnr": features["hnr"] + 3}, "FEMALE").logits
    assert logits["lowSelfEsteem"] == pytest.approx(logits["distress"] / 4)
    assert logits["exhaustion"] == logits["sleepPropensity"]
    assert any("equal" in warning for warning in model.warnings)
    assert any("lowSelfEsteem" in warning for warning in model.warnings)


def test_a_missing_feature_counts_as_usual_and_gives_no_reason(model: VoiceModel) -> None:
    features = usual(model, MALE)
    features["pitchMedian"] += 8
    known = read_voice(model, features, "MALE")
    missing = read_voice(model, features | {"pitchMedian": math.nan}, "MALE")
    assert missing.missing_share == pytest.approx(1 / len(model.features))
    assert missing.logits["stress"] == pytest.approx(
        known.logits["stress"] - known.contributions["stress"][model.features.index("pitchMedian")]
    )
    assert "pitchMedian" in {reason["feature"] for reason in explain(model, known)}
    assert "pitchMedian" not in {reason["feature"] for reason in explain(model, missing)}


def test_one_wild_measurement_cannot_decide_alone(model: VoiceModel) -> None:
    features = usual(model, MALE)
    far, farther = (
        read_voice(model, features | {"spectralFlux": value}, "MALE").logits["stress"] for value in (10.0, 1000.0)
    )
    assert far == farther


def test_reasons_are_the_strongest_contributions_in_plain_words(model: VoiceModel) -> None:
    features = usual(model, MALE)
    features |= {"pitchMedian": features["pitchMedian"] + 6, "hnr": features["hnr"] - 4, "h1h2": features["h1h2"] + 5}
    reading = read_voice(model, features, "MALE")
    reasons = explain(model, reading)
    for score in DIMENSIONS:
        mine = [reason for reason in reasons if reason["score"] == score]
        sizes = [abs(reason["weight"]) for reason in mine]
        assert 1 <= len(mine) <= MOST_REASONS
        assert sizes == sorted(sizes, reverse=True)
        strongest = np.sort(np.abs(reading.contributions[score]))[::-1]
        assert sizes == pytest.approx(strongest[: len(sizes)].tolist(), abs=1e-4)
    for reason in reasons:
        assert set(reason) == {
            "score", "kind", "feature", "value", "unit", "referenceLow", "referenceHigh", "direction", "weight",
            "phrase", "text",
        }  # fmt: skip
        assert reason["kind"] == "VOICE"
        assert reason["phrase"] is None
        assert reason["referenceLow"] < reason["referenceHigh"]
        assert reason["direction"] == ("UP" if reason["weight"] > 0 else "DOWN")
        assert not {"because", "cause", "due to"} & set(reason["text"].lower().split())
    pitch = next(r for r in reasons if r["score"] == "stress" and r["feature"] == "pitchMedian")
    assert pitch["value"] == pytest.approx(features["pitchMedian"], abs=1e-4)
    assert pitch["text"].startswith(
        "Pitch was higher, compared with men in the reference; the model counts this towards"
    )


def test_a_voice_in_the_middle_of_its_peers_has_no_reasons(model: VoiceModel) -> None:
    assert explain(model, read_voice(model, usual(model, FEMALE), "FEMALE")) == ()

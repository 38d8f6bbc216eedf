"""The weights that ship, and what the heads make of features."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from apps.model_runs.wellness.features.registry import BY_NAME, HEAD_FEATURES
from apps.model_runs.wellness.heads import (
    FEMALE,
    GROUPS,
    MALE,
    POOLED,
    WEIGHTS_PATH,
    VoiceModel,
    group_of,
    load_voice,
    read_voice,
    voice_from_json,
    voice_to_json,
)
from apps.model_runs.wellness.interface import DIMENSIONS


@pytest.fixture(scope="module")
def model() -> VoiceModel:
    return load_voice()


def usual(model: VoiceModel, group: str) -> dict[str, float]:
    return dict(zip(model.features, model.groups[group].centre.tolist(), strict=True))


def test_the_shipped_weights_fit_this_code(model: VoiceModel) -> None:
    assert model.features == HEAD_FEATURES
    assert set(model.dimensions) == set(DIMENSIONS)
    assert {dimension.head for dimension in model.dimensions.values()} == set(model.heads)


def test_weights_survive_being_written_and_read(model: VoiceModel) -> None:
    written = json.loads(WEIGHTS_PATH.read_text(encoding="utf-8"))
    assert voice_to_json(model) == written
    assert voice_to_json(voice_from_json(json.loads(json.dumps(written)))) == written


def test_weights_of_another_format_or_shape_are_refused(model: VoiceModel) -> None:
    with pytest.raises(ValueError, match="format 99"):
        voice_from_json({**voice_to_json(model), "format": 99})
    damaged = json.loads(json.dumps(voice_to_json(model)))
    damaged["heads"]["stress"]["coefficients"]["MALE"].pop()
    with pytest.raises(ValueError, match="stress"):
        voice_from_json(damaged)
    damaged = json.loads(json.dumps(voice_to_json(model)))
    damaged["heads"]["stress"]["reference"]["MALE"].reverse()
    with pytest.raises(ValueError, match="reference"):
        voice_from_json(damaged)
    damaged = json.loads(json.dumps(voice_to_json(model)))
    damaged["dimensions"]["stress"]["head"] = "no such head"
    with pytest.raises(ValueError, match="stress rests on the head no such head"):
        voice_from_json(damaged)


def test_evidence_and_voice_weight_of_each_dimension(model: VoiceModel) -> None:
    assert {name: (dimension.evidence, dimension.voice_weight) for name, dimension in model.dimensions.items()} == {
        "distress": ("acted_proxy", 0.5),
        "stress": ("acted_proxy", 1.0),
        "exhaustion": ("literature_index", 0.25),
        "sleepPropensity": ("literature_index", 0.25),
        "lowSelfEsteem": ("authored_words", 0.0),
    }


def test_birth_sexes_choose_their_group() -> None:
    assert [group_of(sex) for sex in ("MALE", "FEMALE", "INTERSEX", "UNKNOWN")] == [MALE, FEMALE, POOLED, POOLED]


def test_without_a_birth_sex_nothing_that_tells_the_sex_has_weight(model: VoiceModel) -> None:
    bound = np.array([BY_NAME[name].sex_bound for name in model.features])
    for head in model.heads.values():
        assert not head.coefficients[POOLED][:, bound].any()
        assert head.coefficients[MALE][:, bound].all()
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


@pytest.mark.parametrize("sex", ["MALE", "FEMALE", "UNKNOWN"])
def test_contributions_add_up_to_how_the_logit_moved(model: VoiceModel, sex: str) -> None:
    features = usual(model, group_of(sex))
    middle = read_voice(model, features, sex)
    moved = read_voice(model, features | {"hnr": features["hnr"] + 0.2, "h1h2": features["h1h2"] - 0.2}, sex)
    for name in DIMENSIONS:
        step = moved.logits[name] - middle.logits[name]
        assert moved.contributions[name].sum() == pytest.approx(step, abs=0.03)


def test_either_part_of_distress_is_enough(model: VoiceModel) -> None:
    """Fear is high and tense, sadness low and soft: both lie above the middle, as no one line could have it."""
    head, features = model.heads["distress"], usual(model, FEMALE)
    fear, sadness = head.coefficients[FEMALE]
    middle = read_voice(model, features, "FEMALE").logits["distress"]
    for direction in (fear, sadness):
        step = 4 * direction / np.linalg.norm(direction) * model.groups[FEMALE].scale
        moved = {name: value + float(by) for (name, value), by in zip(features.items(), step, strict=True)}
        assert read_voice(model, moved, "FEMALE").logits["distress"] > middle + 1


@pytest.mark.parametrize(
    ("hertz", "sex", "unusual"),
    [
        (110, "MALE", False), (260, "MALE", False), (330, "MALE", True),
        (200, "FEMALE", False), (380, "FEMALE", False), (110, "FEMALE", True),
        (110, "UNKNOWN", False), (380, "UNKNOWN", False), (480, "UNKNOWN", True), (float("nan"), "MALE", False),
    ],
)  # fmt: skip
def test_a_pitch_that_does_not_fit_the_birth_sex_is_noticed(
    model: VoiceModel, hertz: float, sex: str, unusual: bool
) -> None:
    features = usual(model, group_of(sex)) | {"pitchMedian": 12 * math.log2(hertz / 27.5)}
    assert read_voice(model, features, sex).pitch_is_unusual is unusual


def test_a_missing_feature_counts_as_usual_and_gives_no_reason(model: VoiceModel) -> None:
    features = usual(model, MALE)
    features["pitchMedian"] += 8
    known = read_voice(model, features, "MALE")
    missing = read_voice(model, features | {"pitchMedian": math.nan}, "MALE")
    assert missing.missing_share == pytest.approx(1 / len(model.features))
    assert missing.logits["stress"] == pytest.approx(
        known.logits["stress"] - known.contributions["stress"][model.features.index("pitchMedian")]
    )
    assert np.isnan(missing.values[model.features.index("pitchMedian")])


def test_one_wild_measurement_cannot_decide_alone(model: VoiceModel) -> None:
    features = usual(model, MALE)
    far, farther = (
        read_voice(model, features | {"spectralFlux": value}, "MALE").logits["stress"] for value in (10.0, 1000.0)
    )
    assert far == farther


def test_distance_is_in_standard_deviations_from_the_middle(model: VoiceModel) -> None:
    features = usual(model, MALE)
    assert read_voice(model, features, "MALE").distance == 0
    off = {
        name: value + float(by) for (name, value), by in zip(features.items(), model.groups[MALE].scale, strict=True)
    }
    assert read_voice(model, off, "MALE").distance == pytest.approx(1)

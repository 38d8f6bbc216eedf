"""Figures, report, card and folder of a customer's model, from measured recordings whose truth is known."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.model_runs.wellness.heads import FEMALE, read_voice
from apps.model_runs.wellness.model import model_from_json, shipped
from apps.model_runs.wellness.training import customer_card, customer_train
from apps.model_runs.wellness.training.customer_measure import Labelled
from apps.model_runs.wellness.training.customer_report import report, table
from apps.model_runs.wellness.training.customer_train import NothingToCompare, Trained
from tests.model_runs.wellness.customers import customers

ABOUT = {"file": "labels.csv", "sha256": "ab" * 32, "positiveFrom": 14.0, "base": "2026.11"}


def silent(what: str, done: int, total: int) -> None:
    assert 0 < done <= total


def as_shipped(data: Labelled) -> Labelled:
    """The same people, with features as far from the shipped reference speakers as the made-up ones are from theirs."""
    group = shipped().voice.groups
    centre = np.array([group[sex].centre for sex in data.sex])
    scale = np.array([group[sex].scale for sex in data.sex])
    pitched = data.values - data.values.mean(axis=0)
    return replace(data, values=centre + 0.8 * pitched * scale)


@pytest.fixture(scope="module")
def trained() -> Trained:
    by_target = {
        "stress": as_shipped(customers(effect=1.5, words=1.0)),
        "lowSelfEsteem": as_shipped(customers(sex_effect=0.4, seed=3)),
    }
    return customer_train.train(by_target, shipped(), "clinic-7", silent, deals=19)


def test_the_model_is_the_shipped_one_but_for_the_targets(trained: Trained) -> None:
    base, model = shipped(), trained.model
    assert model.version == "clinic-7"
    assert model.words is base.words
    for name in ("distress", "exhaustion", "sleepPropensity"):
        assert model.voice.dimensions[name] == base.voice.dimensions[name]
    stress = model.voice.dimensions["stress"]
    assert (stress.head, stress.voice_weight, stress.evidence) == ("customer:stress", 1.0, "customer_trained")
    assert stress.word_weight == trained.targets["stress"]["fit"]["wordWeight"]
    assert model.voice.dimensions["lowSelfEsteem"].word_weight == base.voice.dimensions["lowSelfEsteem"].word_weight
    assert base.voice.dimensions["stress"].evidence != "customer_trained"


def test_the_figures_stand_beside_their_baselines(trained: Trained) -> None:
    stress, esteem = trained.targets["stress"], trained.targets["lowSelfEsteem"]
    for found in (stress, esteem):
        assert set(found) >= {
            "auc", "voiceAuc", "wordsAuc", "baselines", "withinSex", "permutation", "calibration", "bySex", "byBirth",
            "roc", "bySpeechSeconds", "bySnr", "warnings", "fit", "data",
        }  # fmt: skip
        area = found["auc"]
        assert area["low"] < area["auc"] < area["high"]
        assert [group["name"] for group in found["bySex"]] == ["female", "male"]
        assert [group["name"] for group in found["byBirth"]] == ["1970-1979", "1990-1999"]
        assert sum(group["recordings"] for group in found["bySex"]) == found["data"]["recordings"] == 180
        assert sum(part["count"] for part in found["calibration"]["bins"]) == 180
    assert stress["auc"]["auc"] > 0.8
    assert stress["permutation"]["p"] == 0.05
    assert 0.5 < stress["wordsAuc"]["auc"] < stress["auc"]["auc"]
    assert esteem["wordsAuc"] is None


def test_a_score_that_does_no_better_than_the_sex_is_warned_of(trained: Trained) -> None:
    found = trained.targets["lowSelfEsteem"]
    assert found["baselines"]["sexOnly"]["auc"] > 0.8
    assert any("not above that of" in warning for warning in found["warnings"])
    assert any("one sex" in warning for warning in found["warnings"])
    assert "WARNING: The AUC" in report("lowSelfEsteem", found)


def test_recordings_made_otherwise_for_positives_are_warned_of() -> None:
    data, rng = customers(), np.random.default_rng(1)
    noisy = replace(data, snr_db=np.where(data.y, 20.0, 30.0), score=0.7 * rng.random(len(data)) + 0.3 * data.y)
    found = customer_train.judge("stress", noisy)
    assert found["baselines"]["snrOnly"]["auc"] == 1
    assert "not above that of the signal-to-noise ratio alone, 1.000" in found["warnings"][0]


def test_a_real_effect_is_not_warned_of() -> None:
    by_target = {"stress": as_shipped(customers(effect=1.5, words=1.0))}
    found = customer_train.train(by_target, shipped(), "v", silent, deals=39).targets["stress"]
    assert found["permutation"]["p"] == 0.025
    assert found["warnings"] == []


def test_the_report_names_every_figure(trained: Trained) -> None:
    text = report("stress", trained.targets["stress"])
    for words in (
        "180 recordings of 60 speakers", "baseline: the sex alone", "baseline: the median pitch alone",
        "within sex: the score", "words alone", "Permutation p: 0.050", "Calibration: expected error",
        "female", "1970-1979",
    ):  # fmt: skip
        assert words in text
    assert max(map(len, text.splitlines())) < 140


def test_the_written_folder_is_whole_and_the_same_again(trained: Trained, tmp_path: Path) -> None:
    first, second = tmp_path / "new" / "model", tmp_path / "again"
    second.mkdir()
    assert customer_card.folder_is_free(first)
    assert customer_card.folder_is_free(second)
    for folder in (first, second):
        customer_card.write_folder(folder, trained, ABOUT)
        assert not customer_card.folder_is_free(folder)
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(
        ["model.json", "evaluation.json", "card.md"]
        + [
            f"{target}-{plot}.svg"
            for target in trained.targets
            for plot in ("roc", "calibration", "speech-seconds", "snr")
        ]
    )
    assert [(first / name).read_bytes() for name in names] == [(second / name).read_bytes() for name in names]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["again", "new"]

    model = model_from_json(json.loads((first / "model.json").read_text()))
    values = dict(zip(model.voice.features, model.voice.groups[FEMALE].centre, strict=True))
    ours, theirs = (read_voice(m.voice, values, FEMALE).logits for m in (model, trained.model))
    assert ours == pytest.approx(theirs, abs=1e-6)
    evaluation = json.loads((first / "evaluation.json").read_text())
    assert evaluation["version"] == "clinic-7"
    assert evaluation["targets"] == json.loads(json.dumps(trained.targets))


def test_nothing_is_left_where_the_folder_is_taken(trained: Trained, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    with pytest.raises(OSError, match="not empty"):
        customer_card.write_folder(taken, trained, ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert (taken / "mine.txt").read_text() == "mine"
    assert not customer_card.folder_is_free(taken)
    assert not customer_card.folder_is_free(taken / "mine.txt")


def test_the_card_says_what_it_rests_on_and_what_it_is_not_for(trained: Trained, tmp_path: Path) -> None:
    customer_card.write_folder(tmp_path / "model", trained, ABOUT)
    text = (tmp_path / "model" / "card.md").read_text()
    for words in (
        "# Model clinic-7", "no medical device", "must not be used", "labels.csv", "a score of 14 and more",
        "model 2026.11", "> **Warning.**", "Confidence intervals of scores are those of the base model", "fitted here",
    ):  # fmt: skip
        assert words in text
    assert "P001" not in text  # no speaker is named
    shown = re.findall(r"\]\(([^)]+\.svg)\)", text)
    assert len(shown) == 8
    for name in shown:
        root = ET.fromstring((tmp_path / "model" / name).read_text())  # noqa: S314  (our own text)
        assert root.tag.endswith("svg")


def test_finished_scores_are_judged_by_the_same_figures() -> None:
    data = customers()
    rng = np.random.default_rng(1)
    good = replace(data, score=1 / (1 + np.exp(-(2.0 * data.y - 1 + rng.standard_normal(len(data))))))
    found = customer_train.judge("stress", good)
    assert found["auc"]["auc"] > 0.85
    assert found["voiceAuc"] is None
    assert found["permutation"] == {
        "p": 0.001,
        "withinSex": 0.001,
        "deals": 1_000,
        "method": customer_train.EXCHANGED,
    }
    assert found["warnings"] == []
    curve = np.array(found["roc"])
    assert len(curve) < 100
    assert np.trapezoid(curve[:, 1], curve[:, 0]) == pytest.approx(found["auc"]["auc"], abs=1e-3)

    idle = replace(data, score=rng.random(len(data)))
    assert customer_train.judge("stress", idle)["warnings"]


def test_figures_that_cannot_be_known_are_null_not_invented() -> None:
    data = customers(sex_known=False)
    unknown = replace(
        data,
        score=np.random.default_rng(1).random(len(data)),
        snr_db=np.full(len(data), np.nan),
        born=np.full(len(data), "unknown"),
    )
    found = customer_train.judge("stress", unknown)
    assert found["withinSex"]["auc"] == {"auc": None, "low": None, "high": None}
    assert found["permutation"]["withinSex"] is None
    assert found["bySnr"] == found["data"]["snrDb"] == []
    assert "within sex: the score" in report("stress", found)
    assert "not known" in report("stress", found)
    assert "snr" not in customer_card.plots("stress", found)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(("label", "missing"), [(0, "positive"), (1, "negative")])
def test_one_class_alone_cannot_be_judged(label: int, missing: str) -> None:
    data = replace(customers(), y=np.full(180, label, np.int8), score=np.zeros(180))
    with pytest.raises(NothingToCompare, match=f"no {missing} recordings"):
        customer_train.judge("stress", data)


def test_columns_are_flush() -> None:
    rows: list[Any] = [("a", "1.0"), ("bbb", "20")]
    assert table(rows, ("", "x")) == "       x\na    1.0\nbbb   20"

"""What the shipped word heads make of texts that they were not trained on (unseen_texts.tsv, written for these tests).

The bounds lie below what was measured when the model was trained, so that they tell a broken model, not a changed one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from apps.model_runs.wellness.training.statistics import auc
from apps.model_runs.wellness.words import corpus, heads
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS

ROWS = [
    tuple(line.split("\t"))
    for line in Path(__file__).with_name("unseen_texts.tsv").read_text(encoding="utf-8").splitlines()[1:]
]
POST, OTHER_POST = "post that states it", "other post"


@pytest.fixture(scope="module")
def scores() -> list[dict[str, float]]:
    return heads.score_texts(heads.load_model(), [text for _, _, text in ROWS])


def test_training_knows_none_of_them() -> None:
    trained = {example.text.lower() for example in corpus.read_authored()}
    assert not [text for _, _, text in ROWS if text.lower() in trained]


@pytest.mark.parametrize("construct", CONSTRUCTS)
@pytest.mark.parametrize(
    ("kind", "least"), [("positive", 0.45), ("negated", 0.45), ("third", 0.75), ("idiom", 0.55), ("recovered", 0.7)]
)
def test_most_sentences_of_each_kind_are_read_rightly(
    scores: list[dict[str, float]], construct: str, kind: str, least: float
) -> None:
    said = np.array(
        [score[construct] > 0.5 for score, row in zip(scores, ROWS, strict=True) if row[:2] == (construct, kind)]
    )
    assert len(said) >= 3
    assert (said if kind == "positive" else ~said).mean() >= least


def test_everyday_sentences_stay_silent(scores: list[dict[str, float]]) -> None:
    loud = [
        row[2] for score, row in zip(scores, ROWS, strict=True) if row[1] == "neutral" and max(score.values()) > 0.5
    ]
    assert len(loud) <= 3, loud


@pytest.mark.parametrize("construct", sorted({row[0] for row in ROWS if row[1] == POST}))
def test_posts_of_several_sentences_and_tweets_are_told_apart(scores: list[dict[str, float]], construct: str) -> None:
    mine = [
        (score[construct], row[1] == POST)
        for score, row in zip(scores, ROWS, strict=True)
        if row[0] == construct and row[1] in (POST, OTHER_POST)
    ]
    values, y = np.array([value for value, _ in mine]), np.array([stated for _, stated in mine], np.int8)
    assert auc(values, y) > 0.9
    assert (values[y == 0] > 0.5).mean() <= 0.1

"""Six logistic heads over sentence embeddings and grammar features: English texts to scores from 0 to 1.

A text is cut into sentences; each head gives a sentence a logit z. Those of a text are pooled as

    L = log(mean(exp z)) + log(min(n, 16)) / 2        for n sentences

so that one clear sentence tells among everyday ones, several tell more, and a long text is no more suspect than a
short one: a mean of z would drown the one, a maximum or a sum would find something in every long text. The score is the
logistic function of L minus the head's threshold: .5 is where the head begins to speak up, not a probability.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.words.embedding import SIZE, load_encoder
from apps.model_runs.wellness.words.grammar import FEATURES, discounted, feature_table, of_speaker, read
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS
from apps.model_runs.wellness.words.sentences import distinct_sentences

WEIGHTS_PATH = Path(__file__).parent.parent / "weights" / "words.json"
WEIGHTS_FORMAT = 1

# No single sentence proves or disproves a state, however extreme its logit.
LOGIT_LIMIT = 8.0
POOLED_AT_MOST = 16  # sentences; how far one stands out of its text does not grow beyond this
# From here on a sentence is held back which names a state without affirming it (grammar.discounted): below every
# threshold, but above most everyday sentences.
DISCOUNTED_LIMIT = -1.0
# And from here on one that is not about its speaker: sad news are no sadness of who tells them.
OTHERS_LIMIT = -0.5
BEYOND_LIMIT = 0.1  # what is left of a logit beyond such a limit, so that ranks remain
LEAST_THRESHOLD = 0.25

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WordHead:
    """One construct: weights of the embedding (SIZE,) and of grammar.FEATURES, an intercept, the pooled threshold."""

    embedding: Vector
    grammar: Vector
    intercept: float
    threshold: float


@dataclass(frozen=True, slots=True)
class WordModel:
    """The six heads by construct."""

    heads: Mapping[str, WordHead]


def score_texts(model: WordModel, texts: Sequence[str]) -> list[dict[str, float]]:
    """For each text a score from 0 to 1 of each of CONSTRUCTS; near 0 where a text has no words at all.

    A sentence that a text repeats counts once. Sentences of all texts are embedded together: give many texts at once.
    Texts are taken for English.
    """
    cut = [distinct_sentences(text) for text in texts]
    places = {sentence: place for place, sentence in enumerate(dict.fromkeys(s for part in cut for s in part))}
    logits = sentence_logits(model.heads, list(places))
    answers = []
    for part in cut:
        rows = [places[sentence] for sentence in part]
        answers.append({name: _logistic(pool(logits[name][rows]) - model.heads[name].threshold) for name in CONSTRUCTS})
    return answers


def sentence_logits(heads: Mapping[str, WordHead], sentences: Sequence[str]) -> dict[str, Vector]:
    """For each head the logits (len(sentences),) of the sentences by themselves."""
    embeddings = load_encoder().embed(sentences)
    table = feature_table([read(sentence) for sentence in sentences])
    return {name: head_logits(head, embeddings, table[name]) for name, head in heads.items()}


def head_logits(head: WordHead, embeddings: NDArray[np.floating[Any]], grammar: Vector) -> Vector:
    """Logits (n,) from embeddings (n, SIZE) and grammar features (n, len(FEATURES)), within ±LOGIT_LIMIT.

    Sentences that grammar discounts are held back from DISCOUNTED_LIMIT on, those that are not about the speaker from
    OTHERS_LIMIT on.
    """
    logits: Vector = embeddings @ head.embedding + grammar @ head.grammar + head.intercept
    limit = np.where(of_speaker(grammar), LOGIT_LIMIT, OTHERS_LIMIT)
    limit[discounted(grammar)] = DISCOUNTED_LIMIT
    held_back: Vector = np.where(logits > limit, limit + BEYOND_LIMIT * (logits - limit), logits)
    return np.clip(held_back, -LOGIT_LIMIT, LOGIT_LIMIT)


def pool(logits: Vector) -> float:
    """The logit of a text from those of its sentences; -LOGIT_LIMIT for none."""
    if not len(logits):
        return -LOGIT_LIMIT
    return float(np.log(np.exp(logits).mean()) + np.log(min(len(logits), POOLED_AT_MOST)) / 2)


@functools.cache
def load_model(path: Path = WEIGHTS_PATH) -> WordModel:
    """Reads and checks a file of weights; ValueError says what does not fit."""
    return model_from_json(json.loads(path.read_text(encoding="utf-8")))


def model_from_json(data: Mapping[str, Any]) -> WordModel:
    """The model that a weights file holds. Raises ValueError on another format, KeyError on a missing part."""
    if data["format"] != WEIGHTS_FORMAT:
        raise ValueError(f"The weights are of format {data['format']}; this code reads format {WEIGHTS_FORMAT}.")
    if tuple(data["features"]) != FEATURES:
        raise ValueError("The weights were trained on other grammar features than this code measures.")
    return WordModel({name: _head(name, data["heads"][name]) for name in CONSTRUCTS})


def model_to_json(model: WordModel) -> dict[str, Any]:
    """The inverse of `model_from_json`; weights to six decimals."""
    return {
        "format": WEIGHTS_FORMAT,
        "features": list(FEATURES),
        "heads": {
            name: {
                "intercept": round(head.intercept, 6),
                "threshold": round(head.threshold, 6),
                "grammar": np.round(head.grammar, 6).tolist(),
                "embedding": np.round(head.embedding, 6).tolist(),
            }
            for name, head in model.heads.items()
        },
    }


def _head(name: str, data: Mapping[str, Any]) -> WordHead:
    head = WordHead(np.array(data["embedding"]), np.array(data["grammar"]), data["intercept"], data["threshold"])
    if head.embedding.shape != (SIZE,) or head.grammar.shape != (len(FEATURES),):
        raise ValueError(f"Head {name} has {head.embedding.shape} and {head.grammar.shape} weights.")
    return head


def _logistic(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))

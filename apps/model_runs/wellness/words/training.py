"""Trains the word heads from our own sentences and GoEmotions, and measures them on templates that were left out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.words import figures
from apps.model_runs.wellness.words.corpus import (
    NEUTRAL,
    Comment,
    Example,
    as_recognised,
    everyday,
    read_authored,
    read_comments,
)
from apps.model_runs.wellness.words.embedding import SIZE, load_encoder
from apps.model_runs.wellness.words.fitting import fit_logistic
from apps.model_runs.wellness.words.grammar import FEATURES, feature_table, read
from apps.model_runs.wellness.words.heads import LEAST_THRESHOLD, Vector, WordHead, WordModel, head_logits, pool
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS
from apps.model_runs.wellness.words.sentences import distinct_sentences

FOLDS = 5
# So many of the everyday paragraphs of the training data, and of our own neutral sentences, may reach a threshold, each
# left out of the fit. One in a hundred is aimed at on new ones; this leaves room for chance.
FALSE_ALARMS = 0.0075

_POSITIVE_SHARE = 0.3  # of the weight of a head's examples
_TOTAL_WEIGHT = 5_000.0
_RIDGE_EMBEDDING = 0.3
_RIDGE_GRAMMAR = 0.5
_RIDGE = np.array([_RIDGE_EMBEDDING] * SIZE + [_RIDGE_GRAMMAR] * len(FEATURES) + [1e-6])  # the intercept is free
_CHUNK = 1_000  # sentences embedded by one thread at a time; fixed, since batches decide how sums are rounded
_DECIMALS = 6  # of the weights that ship, and of those that are measured

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Progress = Callable[[str], None]


class Table:
    """Sentences with their embeddings and grammar features, once each."""

    def __init__(self, sentences: Sequence[str], embed: Embed) -> None:
        unique = list(dict.fromkeys(sentences))
        self._place = {sentence: place for place, sentence in enumerate(unique)}
        self.embeddings = embed(unique).astype(np.float64)
        self.grammar = feature_table([read(sentence) for sentence in unique])

    def rows(self, sentences: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self._place[sentence] for sentence in sentences], np.int64)

    def design(self, name: str, sentences: Sequence[str]) -> Vector:
        """What a head is fitted to: embeddings, grammar features and a one (len(sentences), columns)."""
        rows = self.rows(sentences)
        return np.hstack([self.embeddings[rows], self.grammar[name][rows], np.ones((len(rows), 1))])

    def logits(self, head: WordHead, name: str, sentences: Sequence[str]) -> Vector:
        rows = self.rows(sentences)
        return head_logits(head, self.embeddings[rows], self.grammar[name][rows])


def reproduce(training_data: Path, progress: Progress | None = None) -> tuple[WordModel, dict[str, Any]]:
    """The word heads and their figures, from authored.tsv and the folder that holds `words/goemotions_*.tsv`.

    The same to the last decimal with one BLAS thread and one processor family. Raises TrainingDataMissing.
    """
    comments, dev = (read_comments(training_data, part) for part in ("train", "dev"))
    return train(read_authored(), comments, dev, embed_in_threads, progress)


def train(
    authored: list[Example], comments: list[Comment], dev: list[Comment], embed: Embed, progress: Progress | None = None
) -> tuple[WordModel, dict[str, Any]]:
    """Fits each head on all examples; thresholds and figures come from folds that leave whole templates out."""
    say = progress or (lambda _: None)
    examples = authored + everyday(comments) + list(as_recognised(authored))
    texts = figures.unseen(dev)
    unseen = [sentence for text in texts.all() for sentence in distinct_sentences(text)]
    say(f"Embedding the sentences of {len(examples)} examples.")
    table = Table([e.text for e in examples] + unseen, embed)
    heads, held = {}, {}
    for name in CONSTRUCTS:
        say(f"Fitting the words of {name}.")
        held[name], head = _fit_and_hold_out(name, examples, table)
        heads[name] = replace(head, threshold=round(_threshold(examples, held[name], FALSE_ALARMS), _DECIMALS))
    found = {
        "heldOutTemplates": figures.on_templates(examples, held, heads),
        "separation": figures.separation(examples, held),
        **figures.on_comments(texts, heads, lambda name, sentences: table.logits(heads[name], name, sentences)),
    }
    return WordModel(heads), found


def embed_in_threads(sentences: Sequence[str]) -> NDArray[np.float32]:
    """Embeddings of many sentences on all processors."""
    encoder = load_encoder()
    ordered = sorted(range(len(sentences)), key=lambda place: len(sentences[place]))
    chunks = [ordered[place : place + _CHUNK] for place in range(0, len(ordered), _CHUNK)]
    found = np.zeros((len(sentences), SIZE), np.float32)
    with ThreadPoolExecutor(os.cpu_count()) as pool_of_threads:
        embedded = pool_of_threads.map(lambda chunk: encoder.embed([sentences[place] for place in chunk]), chunks)
        for chunk, rows in zip(chunks, embedded, strict=True):
            found[chunk] = rows
    return found


def _fit_and_hold_out(name: str, examples: Sequence[Example], table: Table) -> tuple[Vector, WordHead]:
    """The logit of every example by a head that saw nothing of its template or comment, and the head of all."""
    known = [example for example in examples if name in example.labels]
    design = table.design(name, [example.text for example in known])
    y = np.array([example.labels[name] for example in known], float)
    weights = np.array([example.weight for example in known])
    folds = np.array([_fold(example.group) for example in known])
    whole = fit_logistic(design, y, _balanced(weights, y), _RIDGE)

    logits = np.zeros(len(examples))
    fold_of_all = np.array([_fold(example.group) for example in examples])
    for fold in range(FOLDS):
        rest, mine = folds != fold, fold_of_all == fold
        found = fit_logistic(design[rest], y[rest], _balanced(weights[rest], y[rest]), _RIDGE, start=whole)
        left_out = [example.text for example, own in zip(examples, mine, strict=True) if own]
        logits[mine] = table.logits(_head(found), name, left_out)
    return logits, _head(whole)


def _balanced(weights: Vector, y: Vector) -> Vector:
    shares = np.where(y == 1, _POSITIVE_SHARE / weights[y == 1].sum(), (1 - _POSITIVE_SHARE) / weights[y == 0].sum())
    balanced: Vector = weights * shares * _TOTAL_WEIGHT
    return balanced


def _head(found: Vector) -> WordHead:
    rounded = np.round(found, _DECIMALS)
    return WordHead(rounded[:SIZE], rounded[SIZE:-1], float(rounded[-1]), threshold=0.0)


def _fold(group: str) -> int:
    return hashlib.sha256(group.encode()).digest()[0] % FOLDS


def _threshold(examples: Sequence[Example], held: Vector, alarms: float) -> float:
    """The pooled logit that no more than the share `alarms` of neutral paragraphs and of authored sentences reach."""
    by_comment: dict[int, list[float]] = {}
    own = []
    for example, logit in zip(examples, held, strict=True):
        if example.kind == NEUTRAL and example.comment >= 0:
            by_comment.setdefault(example.comment, []).append(logit)
        elif example.kind == NEUTRAL:
            own.append(logit)
    comments = list(by_comment.values())
    step = figures.PARAGRAPH
    paragraphs = [np.concatenate(comments[place : place + step]) for place in range(0, len(comments) - step + 1, step)]
    reached = np.quantile([pool(paragraph) for paragraph in paragraphs], 1 - alarms)
    return max(LEAST_THRESHOLD, float(reached), float(np.quantile(own, 1 - alarms)))

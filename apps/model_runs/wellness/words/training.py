"""Trains the word heads again and prints what they are worth on held-out texts.

python -m apps.model_runs.wellness.words.training --data ../shared/data --output words.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.training.fit import logistic
from apps.model_runs.wellness.words.corpus import (
    DISTRESS,
    KINDS,
    NEUTRAL,
    PLEASANT,
    POSITIVE,
    UNLABELLED,
    Comment,
    Example,
    as_recognised,
    everyday,
    read_authored,
    read_comments,
)
from apps.model_runs.wellness.words.embedding import SIZE, load_encoder
from apps.model_runs.wellness.words.grammar import FEATURES, feature_table, read
from apps.model_runs.wellness.words.heads import (
    LEAST_THRESHOLD,
    WEIGHTS_PATH,
    Vector,
    WordHead,
    WordModel,
    head_logits,
    model_to_json,
    pool,
)
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS
from apps.model_runs.wellness.words.sentences import distinct_sentences

FOLDS = 5
PARAGRAPH = 5  # comments that are joined to look like everyday speech
# Of everyday paragraphs of the training data, left out of the fit, so many may reach a threshold; one in a hundred is
# aimed at on new ones. Raters called many comments neutral that name fear or grief of others: distress is held shorter.
FALSE_ALARMS = {name: 0.002 if name == "distress" else 0.0075 for name in CONSTRUCTS}

_POSITIVE_SHARE = 0.3  # of the weight of a head's examples
_TOTAL_WEIGHT = 2_000.0
_RIDGE_EMBEDDING = 0.3
_RIDGE_GRAMMAR = 0.5

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


class Table:
    """Sentences with their embeddings and grammar features, once each."""

    def __init__(self, sentences: Sequence[str], embed: Embed) -> None:
        unique = list(dict.fromkeys(sentences))
        self._place = {sentence: place for place, sentence in enumerate(unique)}
        self.embeddings = embed(unique).astype(np.float64)
        self.grammar = feature_table([read(sentence) for sentence in unique])

    def rows(self, sentences: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self._place[sentence] for sentence in sentences], np.int64)

    def logits(self, head: WordHead, name: str, sentences: Sequence[str]) -> Vector:
        rows = self.rows(sentences)
        return head_logits(head, self.embeddings[rows], self.grammar[name][rows])


def train(
    authored: list[Example], comments: list[Comment], dev: list[Comment], embed: Embed
) -> tuple[WordModel, dict[str, Any]]:
    """Fits each head on all examples; thresholds and figures come from folds that leave whole templates out."""
    clean = authored + everyday(comments)
    examples = clean + list(as_recognised(authored))
    texts = {comment.text: distinct_sentences(comment.text) for comment in dev}
    table = Table([e.text for e in examples] + [s for cut in texts.values() for s in cut], embed)

    heads, held = {}, {}
    for name in CONSTRUCTS:
        held[name] = _held_out(name, examples, table)
        threshold = _threshold(examples, held[name], FALSE_ALARMS[name])
        heads[name] = _fit(name, examples, table, threshold)
    figures = {
        "heldOutTemplates": _by_kind(examples, held, heads),
        **_on_comments(dev, texts, table, heads),
    }
    return WordModel(heads), figures


def _fit(name: str, examples: Sequence[Example], table: Table, threshold: float = 0.0) -> WordHead:
    known = [example for example in examples if name in example.labels]
    rows = table.rows([example.text for example in known])
    y = np.array([example.labels[name] for example in known], float)
    weights = np.array([example.weight for example in known])
    for value, share in ((1, _POSITIVE_SHARE), (0, 1 - _POSITIVE_SHARE)):
        weights[y == value] *= _TOTAL_WEIGHT * share / weights[y == value].sum()
    penalty = np.diag([_RIDGE_EMBEDDING] * SIZE + [_RIDGE_GRAMMAR] * len(FEATURES))
    found, intercept = logistic(
        np.column_stack([table.embeddings[rows], table.grammar[name][rows]]), y, weights, penalty
    )
    return WordHead(found[:SIZE], found[SIZE:], intercept, threshold)


def _held_out(name: str, examples: list[Example], table: Table) -> Vector:
    """Logit of every example by a head that saw nothing of its template or comment."""
    folds = np.array([_fold(example.group) for example in examples])
    logits = np.zeros(len(examples))
    for fold in range(FOLDS):
        inside = [example for example, own in zip(examples, folds, strict=True) if own != fold]
        mine = np.flatnonzero(folds == fold)
        logits[mine] = table.logits(_fit(name, inside, table), name, [examples[place].text for place in mine])
    return logits


def _fold(group: str) -> int:
    return hashlib.sha256(group.encode()).digest()[0] % FOLDS


def _threshold(examples: list[Example], held: Vector, alarms: float) -> float:
    """The pooled logit that `alarms` of the neutral paragraphs and a hundredth of authored neutral sentences reach."""
    by_comment: dict[int, list[float]] = {}
    for example, logit in zip(examples, held, strict=True):
        if example.comment >= 0 and example.kind == NEUTRAL:
            by_comment.setdefault(example.comment, []).append(logit)
    comments = list(by_comment.values())
    paragraphs = [
        np.concatenate(comments[i : i + PARAGRAPH]) for i in range(0, len(comments) - PARAGRAPH + 1, PARAGRAPH)
    ]
    own = [
        logit for example, logit in zip(examples, held, strict=True) if (example.kind, example.comment) == (NEUTRAL, -1)
    ]
    return max(
        LEAST_THRESHOLD,
        float(np.quantile([pool(paragraph) for paragraph in paragraphs], 1 - alarms)),
        float(np.quantile(own, 0.99)),
    )


def _by_kind(examples: list[Example], held: Mapping[str, Vector], heads: Mapping[str, WordHead]) -> dict[str, Any]:
    """Share of sentences on the right side of the threshold, by construct and kind; neutral ones for every head."""
    found: dict[str, Any] = {}
    for name in CONSTRUCTS:
        said = held[name] > heads[name].threshold
        found[name] = {}
        for kind in (*KINDS, *(f"{kind} as recognised" for kind in KINDS)):
            about = "none" if kind.startswith(NEUTRAL) else name
            mine = [i for i, e in enumerate(examples) if e.kind == kind and e.construct == about and e.comment < 0]
            right = said[mine] if kind.startswith(POSITIVE) else ~said[mine]
            found[name][kind] = {"share": round(float(right.mean()), 3), "sentences": len(mine)}
    return found


def _on_comments(
    dev: list[Comment], texts: Mapping[str, list[str]], table: Table, heads: Mapping[str, WordHead]
) -> dict[str, Any]:
    """On comments that training never saw: AUC of distress with an interval, false alarms of neutral paragraphs."""
    marked = [c for c in dev if c.labels & DISTRESS and not c.labels & PLEASANT]
    calm = [c for c in dev if c.labels <= PLEASANT | UNLABELLED]
    scores = [
        np.array([pool(table.logits(heads["distress"], "distress", texts[c.text])) for c in part])
        for part in (marked, calm)
    ]
    neutral = [c for c in dev if c.labels == UNLABELLED][:500]
    paragraphs = [neutral[i : i + PARAGRAPH] for i in range(0, len(neutral), PARAGRAPH)]
    alarms = {}
    for name, head in heads.items():
        pooled = [
            pool(table.logits(head, name, [s for comment in part for s in texts[comment.text]])) for part in paragraphs
        ]
        alarms[name] = round(float(np.mean(np.array(pooled) > head.threshold)), 4)
    area, low, high = _auc(*scores)
    return {
        "distressComments": {"auc": area, "low": low, "high": high, "marked": len(marked), "others": len(calm)},
        "neutralParagraphs": {"paragraphs": len(paragraphs), "falseAlarms": alarms},
    }


def _auc(positive: Vector, negative: Vector) -> tuple[float, float, float]:
    """Area under the ROC curve with its 95 % interval by DeLong et al. (1988)."""
    order = np.sort(negative)
    above = (np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")) / (2 * len(order))
    order = np.sort(positive)
    below = 1 - (np.searchsorted(order, negative, "left") + np.searchsorted(order, negative, "right")) / (
        2 * len(order)
    )
    area = float(above.mean())
    error = float(np.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below)))
    return round(area, 3), round(area - 1.96 * error, 3), round(area + 1.96 * error, 3)


def report(figures: Mapping[str, Any]) -> str:
    """The figures as text for people."""
    kinds = list(figures["heldOutTemplates"][CONSTRUCTS[0]])
    lines = ["held-out templates, right".ljust(32) + "".join(f"{name:>17}" for name in CONSTRUCTS)]
    for kind in kinds:
        cells = (figures["heldOutTemplates"][name][kind] for name in CONSTRUCTS)
        lines.append(kind.ljust(32) + "".join(f"{c['share']:>10.3f} of {c['sentences']:<3}" for c in cells))
    alarms = figures["neutralParagraphs"]
    lines.append(
        "neutral paragraphs above .5".ljust(32) + "".join(f"{alarms['falseAlarms'][n]:>17.3f}" for n in CONSTRUCTS)
    )
    auc = figures["distressComments"]
    lines.append(
        f"distress comments ({auc['marked']} against {auc['others']}): AUC {auc['auc']} ({auc['low']}-{auc['high']})"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the word heads and print their held-out figures.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder that holds words/")
    parser.add_argument("--output", type=Path, default=WEIGHTS_PATH, help="where the weights go")
    options = parser.parse_args()
    comments, dev = (read_comments(options.data, part) for part in ("train", "dev"))
    model, figures = train(read_authored(), comments, dev, load_encoder().embed)
    options.output.write_text(json.dumps(model_to_json(model), separators=(",", ":")) + "\n", encoding="utf-8")
    print(report(figures))
    print(f"Wrote the word heads to {options.output}.")


if __name__ == "__main__":
    main()

"""What the word heads are worth: figures on held-out templates and on comments that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.model_runs.wellness.training.statistics import auc, auc_interval, wilson
from apps.model_runs.wellness.words.corpus import (
    DISTRESS,
    KINDS,
    NEUTRAL,
    PLEASANT,
    POSITIVE,
    UNLABELLED,
    Comment,
    Example,
)
from apps.model_runs.wellness.words.grammar import read
from apps.model_runs.wellness.words.heads import Vector, WordHead, pool
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS
from apps.model_runs.wellness.words.sentences import distinct_sentences

PARAGRAPH = 5  # comments that are joined to look like everyday speech
NEUTRAL_COMMENTS = 500

SentenceLogits = Callable[[str, Sequence[str]], Vector]  # of one head


def on_templates(
    examples: Sequence[Example], held: Mapping[str, Vector], heads: Mapping[str, WordHead]
) -> dict[str, Any]:
    """By construct and kind the share of authored sentences on the right side of the threshold; neutral ones for every
    head. `held[construct]` (len(examples),) are logits by heads that saw nothing of the sentence's template."""
    found: dict[str, Any] = {}
    for name in CONSTRUCTS:
        said = held[name] > heads[name].threshold
        found[name] = {}
        for kind in (*KINDS, *(f"{kind} as recognised" for kind in KINDS)):
            about = "none" if kind.startswith(NEUTRAL) else name
            mine = [i for i, e in enumerate(examples) if e.kind == kind and e.construct == about and e.comment < 0]
            right = said[mine] if kind.startswith(POSITIVE) else ~said[mine]
            low, high = wilson(int(right.sum()), len(mine))
            found[name][kind] = {
                "share": _round(right.mean()) if mine else None,
                "low": _round(low),
                "high": _round(high),
                "sentences": len(mine),
            }
    return found


def separation(examples: Sequence[Example], held: Mapping[str, Vector]) -> dict[str, Any]:
    """By construct the AUC of its authored sentences against all that are known not to state it, denials and the like
    included; beside it what a search for its keywords and the mere number of words would reach."""
    found = {}
    for name in CONSTRUCTS:
        mine = [i for i, e in enumerate(examples) if e.kind in KINDS and e.comment < 0 and name in e.labels]
        y = np.array([examples[i].labels[name] for i in mine], np.int8)
        keywords = np.array([float(bool(read(examples[i].text).own[name])) for i in mine])
        words = np.array([float(len(examples[i].text.split())) for i in mine])
        area, low, high = auc_interval(held[name][mine], y)
        found[name] = {
            "auc": _round(area),
            "low": _round(low),
            "high": _round(high),
            "positives": int(y.sum()),
            "others": int(len(y) - y.sum()),
            "aucKeywords": _round(auc(keywords, y)),
            "aucLength": _round(auc(words, y)),
        }
    return found


@dataclass(frozen=True, slots=True)
class Unseen:
    """Texts from the comments of the dev file, which training never sees."""

    distressed: list[str]  # marked as fear, grief, nervousness, remorse or sadness and nothing pleasant
    calm: list[str]  # neutral or pleasant
    paragraphs: list[str]  # neutral comments only, PARAGRAPH of them joined

    def all(self) -> list[str]:
        return self.distressed + self.calm + self.paragraphs


def unseen(dev: Sequence[Comment]) -> Unseen:
    """What of the dev file is measured on."""
    neutral = [comment.text for comment in dev if comment.labels == UNLABELLED][:NEUTRAL_COMMENTS]
    return Unseen(
        [comment.text for comment in dev if comment.labels & DISTRESS and not comment.labels & PLEASANT],
        [comment.text for comment in dev if comment.labels <= PLEASANT | UNLABELLED],
        [" ".join(neutral[place : place + PARAGRAPH]) for place in range(0, len(neutral), PARAGRAPH)],
    )


def on_comments(texts: Unseen, heads: Mapping[str, WordHead], logits: SentenceLogits) -> dict[str, Any]:
    """AUC of distress, and the share of paragraphs of neutral comments for which each head speaks up."""

    def pooled(name: str, part: Sequence[str]) -> Vector:
        return np.array([pool(logits(name, distinct_sentences(text))) for text in part])

    both = texts.distressed + texts.calm
    y = np.repeat(np.array([1, 0], np.int8), [len(texts.distressed), len(texts.calm)])
    area, low, high = auc_interval(pooled("distress", both), y)
    keywords = np.array([float(bool(read(text).own["distress"])) for text in both])
    words = np.array([float(len(text.split())) for text in both])
    alarms = {name: _round(np.mean(pooled(name, texts.paragraphs) > head.threshold)) for name, head in heads.items()}
    return {
        "distressComments": {
            "auc": _round(area),
            "low": _round(low),
            "high": _round(high),
            "marked": len(texts.distressed),
            "others": len(texts.calm),
            "aucKeywords": _round(auc(keywords, y)),
            "aucLength": _round(auc(words, y)),
        },
        "neutralParagraphs": {"paragraphs": len(texts.paragraphs), "falseAlarms": alarms},
    }


def report(figures: Mapping[str, Any]) -> str:
    """The figures as text for people."""
    templates, separated = figures["heldOutTemplates"], figures["separation"]
    lines = ["held-out templates, right".ljust(32) + "".join(f"{name:>18}" for name in CONSTRUCTS)]
    for kind in templates[CONSTRUCTS[0]]:
        cells = (templates[name][kind] for name in CONSTRUCTS if templates[name][kind]["sentences"])
        lines.append(kind.ljust(32) + "".join(f"{c['share']:>11.3f} of {c['sentences']:<4}" for c in cells))
    for label, key in (("AUC, held out", "auc"), ("AUC of keywords", "aucKeywords"), ("AUC of length", "aucLength")):
        lines.append(label.ljust(32) + "".join(f"{separated[name][key]:>18.3f}" for name in CONSTRUCTS))
    alarms = figures["neutralParagraphs"]["falseAlarms"]
    lines.append("neutral paragraphs above .5".ljust(32) + "".join(f"{alarms[n]:>18.3f}" for n in CONSTRUCTS))
    found = figures["distressComments"]
    lines.append(
        f"distress comments ({found['marked']} against {found['others']}): AUC {found['auc']}"
        f" ({found['low']}-{found['high']}), keywords {found['aucKeywords']}, length {found['aucLength']}"
    )
    return "\n".join(lines)


def _round(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)

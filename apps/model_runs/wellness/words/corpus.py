"""The sentences that the word heads learn from: our own (authored.tsv) and GoEmotions (not in this repository).

GoEmotions: Demszky et al., ACL 2020, Apache-2.0; comments with the labels of human raters.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apps.model_runs.wellness.training.corpus import TrainingDataMissing
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS
from apps.model_runs.wellness.words.sentences import split_sentences

AUTHORED = Path(__file__).parent / "authored.tsv"
POSITIVE, NEUTRAL = "positive", "neutral"
KINDS = (POSITIVE, "negated", "third", "idiom", "recovered", "hypothetical", NEUTRAL)

# Label numbers of GoEmotions.
DISTRESS = frozenset({14, 16, 19, 24, 25})  # fear, grief, nervousness, remorse, sadness
PLEASANT = frozenset({0, 1, 4, 5, 8, 13, 15, 17, 18, 20, 21, 23})
UNLABELLED = frozenset({27})  # neutral and nothing else
_ROWS_OF_A_KIND = 3_500  # comments taken from the training file, neutral ones and others each

# Weights against 1 of an authored sentence. Raters marked distress of anybody, and a head that learns much of it speaks
# up for film plots and football; on everyday speech all heads shall be silent.
_OF_DISTRESS, _OF_NEUTRAL, _OF_OTHERS = 0.16, 1.2, 0.8
# Of an authored sentence that a keyword would be fooled by, and of a copy as recognised against its original.
_OF_HARD, _OF_RECOGNISED = 1.5, 0.5

# Somebody who speaks of one state may well be in another: unknown, except for these pairs, which have nothing in
# common but that both are complaints.
_UNRELATED = (frozenset({"sleepPropensity", "lowSelfEsteem"}), frozenset({"exhaustion", "lowSelfEsteem"}))

# What a recogniser writes for what was said, and how often; "can't" loses its end less often than others.
_CONFUSIONS = {
    "know": "no", "too": "to", "there's": "theirs", "they're": "there", "you're": "your", "their": "there", "i'm": "im",
    "i've": "ive", "don't": "dont", "weak": "week", "whole": "hole", "through": "threw", "right": "write",
    "hear": "here", "four": "for", "break": "brake", "an": "and", "anymore": "any more",
    "can't": "cant", "i'll": "ill", "won't": "wont", "of": "off", "it's": "its", "really": "really really",
    "tense": "tents", "gonna": "going to", "and": "um and", "so": "so so",
    "because": "cause", "nervous": "nervous uh", "i": "i i",
}  # fmt: skip
_HEARD_WRONG = 0.25
_DROPPED = 0.4  # of the copies lose an unstressed word
_MERGED = {"a lot": "alot", "all right": "alright", "any more": "anymore", "every day": "everyday", "at all": "atall"}
_UNSTRESSED = frozenset(
    [
        "a",
        "an",
        "the",
        "to",
        "of",
        "at",
        "in",
        "on",
        "is",
        "am",
        "are",
        "was",
        "and",
        "so",
        "just",
        "that",
        "it",
        "really",
        "very",
        "have",
        "been",
        "i'm",
        "i've",
    ]
)


@dataclass(frozen=True, slots=True)
class Example:
    """One training sentence. `labels` holds 1 and 0 by construct; a construct that is unknown is left out.

    `group` keeps what resembles each other in one fold; `comment` numbers the comment a sentence is from, -1 for none.
    """

    text: str
    construct: str
    kind: str
    group: str
    labels: dict[str, int]
    weight: float
    comment: int = -1


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of GoEmotions with its label numbers."""

    text: str
    labels: frozenset[int]


def read_authored(path: Path = AUTHORED) -> list[Example]:
    """Our own sentences, in the order of the file."""
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:])
    return [
        Example(text, name, kind, f"a{number}", _labels(name, kind), _weight(kind)) for name, kind, number, text in rows
    ]


def read_comments(folder: Path, part: str) -> list[Comment]:
    """The comments of `part` ("train" or "dev"). Raises TrainingDataMissing when the file is not there."""
    path = folder / "words" / f"goemotions_{part}.tsv"
    if not path.is_file():
        raise TrainingDataMissing(f"{path} is missing: HELIOS_TRAINING_DATA must name the folder of words/.")
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return [Comment(text, frozenset(map(int, labels.split(",")))) for text, labels, _ in rows]


def everyday(comments: list[Comment]) -> list[Example]:
    """Sentences of comments. Of distress only comments of one sentence count: in longer ones it is unknown which."""
    found: list[Example] = []
    taken = {True: 0, False: 0}
    for number, comment in enumerate(comments):
        sentences = split_sentences(comment.text)
        if comment.labels & DISTRESS:
            if len(sentences) == 1:
                found.append(
                    Example(sentences[0], "distress", "comment", f"c{number}", {"distress": 1}, _OF_DISTRESS, number)
                )
            continue
        plain = comment.labels == UNLABELLED
        if taken[plain] == _ROWS_OF_A_KIND:
            continue
        taken[plain] += 1
        labels = dict.fromkeys(CONSTRUCTS, 0)
        if not comment.labels <= PLEASANT | UNLABELLED:  # anger or embarrassment may go with these three
            labels = dict.fromkeys(("exhaustion", "sleepPropensity", "mentalStrain"), 0)
        kind, weight = (NEUTRAL, _OF_NEUTRAL) if plain else ("comment", _OF_OTHERS)
        found += [Example(text, "none", kind, f"c{number}", labels, weight, number) for text in sentences]
    return found


def as_recognised(examples: list[Example], seed: int = 7) -> Iterator[Example]:
    """Copies as a poor speech recogniser writes them: no capitals, no punctuation, words taken for others."""
    chance = random.Random(seed)  # noqa: S311 - noise, not a secret
    for example in examples:
        text = re.sub(r"[^a-z0-9' ]", "", example.text.lower().replace("-", " "))
        for apart, together in _MERGED.items():
            text = text.replace(apart, together)
        words = text.split()
        if (place := _unstressed(words, chance)) is not None and chance.random() < _DROPPED:
            del words[place]
        heard = [_CONFUSIONS[w] if w in _CONFUSIONS and chance.random() < _HEARD_WRONG else w for w in words]
        yield Example(
            " ".join(heard),
            example.construct,
            f"{example.kind} as recognised",
            example.group,
            example.labels,
            example.weight * _OF_RECOGNISED,
        )


def _unstressed(words: list[str], chance: random.Random) -> int | None:
    """The place of one of the words that a recogniser loses; others, a "not" above all, would change what is said."""
    places = [place for place, word in enumerate(words) if word in _UNSTRESSED]
    return chance.choice(places) if len(words) > 4 and places else None


def _weight(kind: str) -> float:
    return 1.0 if kind == POSITIVE else _OF_HARD


def _labels(construct: str, kind: str) -> dict[str, int]:
    if kind != POSITIVE:
        return dict.fromkeys(CONSTRUCTS, 0)
    return {construct: 1} | {name: 0 for name in CONSTRUCTS if frozenset({name, construct}) in _UNRELATED}

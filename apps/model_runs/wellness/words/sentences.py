"""Cutting a text into sentences, also a transcript without any punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from apps.model_runs.wellness.words.letters import legible

MOST_WORDS = 40  # beyond it a sentence is cut wherever it stands
_RUN_ON = 14  # words from which on a stretch without a full stop may hold several sentences
_LEAST_WORDS = 4  # of both parts of a run-on

_STOPS = re.compile(r"(?<=[.!?\u2026])[\"'\u201d\u2019)\]]*\s+|[\r\n]+|(?<=;)\s+")
_STARTERS = frozenset(
    re.findall(
        r"\S+", "i i'm im i've ive i'll i'd my we we're she she's he he's they they're it's there then but so and"
    )
)
# After these words a pronoun goes on with the sentence: "I think I", "because I", "so that I".
_LEADS_ON = frozenset(
    re.findall(
        r"\S+",
        """and but so then because cause when while if that than what how why where who as or after before until since
        think feel know like hope guess wish say said says believe sure afraid all every whenever though although
        everything anything something whatever of to for with in on at by about from over the a is was""",
    )
)


def split_sentences(text: str) -> list[str]:
    """The sentences of `text` in order, each of at most MOST_WORDS words; [] for a text without a letter or digit."""
    found = []
    for piece in _STOPS.split(legible(text)):
        for part in _run_ons(piece.split()):
            found += [" ".join(part[start : start + MOST_WORDS]) for start in range(0, len(part), MOST_WORDS)]
    return [sentence for sentence in found if any(character.isalnum() for character in sentence)]


def distinct_sentences(text: str) -> list[str]:
    """The sentences of `text`, each once: what is said again word for word (a loop, a chorus) tells nothing new."""
    return list({_wording(sentence): sentence for sentence in reversed(split_sentences(text))}.values())[::-1]


def _wording(sentence: str) -> str:
    return re.sub(r"\W+", " ", sentence.lower()).strip()


def _run_ons(words: list[str]) -> Iterator[list[str]]:
    """`words` cut before words that start a clause, where the stretch is long; short ones stay whole."""
    if len(words) <= _RUN_ON:
        yield words
        return
    start = 0
    for place in range(_LEAST_WORDS, len(words) - _LEAST_WORDS + 1):
        if place - start < _LEAST_WORDS or words[place].lower() not in _STARTERS:
            continue
        if words[place - 1].lower() not in _LEADS_ON:
            yield words[start:place]
            start = place
    yield words[start:]

"""What a sentence says of whom: person, negation, idiom and recovery, by rules over its words.

Sentence embeddings hardly see a "not" and do not tell "I" from "my boss"; these few features do. They are rules, not a
parser: a phrase that `lexicon` does not know is left to the embedding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.words import lexicon
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS

# Of one construct: what becomes of its own phrases. The rest is the same for all six.
OWN = ("affirmed", "negated", "third", "idiom", "recovered", "supposed")
SHARED = (
    "anyAffirmed", "anyNegated", "anyThird", "anyRecovered", "firstPerson", "impliedFirst", "thirdOnly", "secondPerson",
    "denial", "recovery", "idiomatic", "thing", "supposed", "goodAffirmed", "goodNegated",
)  # fmt: skip
FEATURES = tuple(f"own{name.title()}" for name in OWN) + SHARED

_WITHOUT_APOSTROPHE = {  # all but "we're", since "were" is a word of its own
    word.replace("'", ""): word
    for word in re.findall(
        r"\S+",
        """i'm i've don't can't won't isn't aren't wasn't weren't didn't doesn't haven't hasn't hadn't couldn't wouldn't
        shouldn't it's that's there's he's she's they're you're""",
    )
}
_REPLACED = {
    "cannot": "can't",
    "anymore": "any more",
    "alot": "a lot",
    "everyday": "every day",
    "atall": "at all",
    "em": "them",
    "gonna": "going to",
}


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'])(?:{pattern})(?![\w'])")


_TROUBLE = {name: _words(pattern) for name, pattern in lexicon.TROUBLE.items()}
_OPPOSITE = {name: _words(pattern) for name, pattern in lexicon.OPPOSITE.items()}
_ANY_TROUBLE = "|".join(lexicon.TROUBLE.values())
_GOOD = _words(lexicon.GOOD)
_DENIAL = _words(lexicon.DENIAL)
_NO_DENIAL = re.compile(rf"(?<![\w'])(?:{lexicon.NO_DENIAL})")
_CLAUSE_END = re.compile(rf"[,;:]|(?<![\w'])(?:{lexicon.CLAUSE_END})(?![\w'])")
_RECOVERED = re.compile(rf"(?<![\w'])(?:{lexicon.RECOVERED})")
_STILL = re.compile(rf"(?<![\w'])(?:{lexicon.STILL.replace('{trouble}', _ANY_TROUBLE)})")
_IDIOM = re.compile(rf"(?<![\w'])(?:{lexicon.IDIOM})")
_THING = re.compile(rf"^(?:(?:the|this|that|these|those|my|our|a|an|put the) (?:\w+ )?)?(?:{lexicon.THINGS})(?![\w'])")
_FIRST = _words(rf"i|i'm|i've|i'd|i'll|myself|(?:my|our) (?:\w+ )?(?:{lexicon.OWN_PARTS})")
_OBJECT = _words("me|us|my")
_ALSO_FIRST = _words("me|we're|we've|us")
_REPORTED = _words(
    r"(?:told|tells|asked|asks|texted) me|i (?:think|know|hear|heard|saw|see|hope|guess|believe|met)(?! i\b)"
)
_THIRD = _words(
    r"he|he's|she|she's|they|they're|them|him|her|his|their|himself|herself|themselves|that guy|this player"
    rf"|(?:my|the|a|our|his|her|your|their|many|most|some|those|these) (?:\w+ )?(?:{lexicon.PERSONS})"
    rf"|^(?:\w+ )?(?:{lexicon.PERSONS})|(?:{lexicon.CROWDS})"
)
_SECOND = _words("(?<!thank )(?:you|you're|you'll)(?! know)|your|yourself|yourselves")
_ASKED = re.compile(rf"^(?:{lexicon.ASKED})(?![\w'])")
_SUPPOSED = re.compile(rf"^(?:(?:and|but|so|well|because) )*(?:{lexicon.SUPPOSED})(?![\w'])")
_ELLIPTIC = re.compile(rf"^(?:{lexicon.ELLIPTIC})(?![\w'])")
_LEAD = 4  # words among which a phrase of trouble makes a sentence elliptic: "exhausted after work"
_VERB = _words("is|are|was|were|it|it's|that|that's|this")  # before these stands a subject of its own
_OPENING = re.compile(r",| (?:i|i'm|i've|me)(?![\w'])")
_WANTED = _words("can't|couldn't|need|want|wish|miss|if only")
_IMPERSONAL = re.compile(rf"^(?:{lexicon.IMPERSONAL})(?![\w'])")
_SCOPE = 6  # words that a negation reaches
_SHORT = 12  # words up to which a sentence that names nobody may leave its "I" out


@dataclass(frozen=True, slots=True)
class Reading:
    """Shared features by name, and for each construct what its phrases are: a set of OWN."""

    shared: frozenset[str]
    own: dict[str, frozenset[str]]


def plain(sentence: str) -> str:
    """Lower case, straight apostrophes, contractions as they are usually written, one space between words."""
    text = re.sub(r"[^a-z0-9',;:]+", " ", sentence.lower().replace("\u2019", "'"))
    words = (_WITHOUT_APOSTROPHE.get(word, _REPLACED.get(word, word)) for word in text.replace(",", " ,").split())
    return " ".join(words)


def read(sentence: str) -> Reading:
    """The reading of one sentence."""
    text = plain(sentence)
    first, third = _FIRST.search(text) is not None, _THIRD.search(text) is not None
    recovered = _RECOVERED.search(text) is not None and _STILL.search(text) is None
    idiom = _IDIOM.search(text) is not None
    opening = _OPENING.split(text, maxsplit=1)[0]
    thing = len(opening) if _THING.search(opening) else 0  # where what is said of the thing ends
    reported = _REPORTED.search(text) is not None
    # Spoken of is who is named without an "I" ("I think she is sad" counts as without); "my boss is driving me mad" is
    # about the speaker all the same.
    unreported = _REPORTED.sub(" ", text)
    spoken_of = third and (not first or reported) and _OBJECT.search(_THIRD.sub(" ", unreported)) is None
    first = first or (_ALSO_FIRST.search(unreported) is not None and not spoken_of)
    second = not first and _SECOND.search(text) is not None
    asked = _ASKED.search(text) is not None and not first and _OBJECT.search(text) is None
    supposed = asked or second or _SUPPOSED.search(text) is not None
    whole = {"idiom": idiom, "recovered": recovered, "third": spoken_of, "supposed": supposed}

    own = {name: _own(text, name, whole, thing) for name in CONSTRUCTS}
    good = {_is_denied(text, match, strict=False) for match in _GOOD.finditer(text)}
    said = frozenset[str]().union(*own.values())
    shared = {
        "firstPerson": first,
        "impliedFirst": not (first or third or supposed) and _is_elliptic(text),
        "thirdOnly": spoken_of,
        "secondPerson": second,
        "denial": _denials(text) != [],
        "recovery": recovered,
        "idiomatic": idiom,
        "thing": thing > 0,
        "supposed": supposed,
        "goodAffirmed": False in good,
        "goodNegated": True in good,
        **{f"any{name.title()}": name in said for name in ("affirmed", "negated", "third", "recovered")},
    }
    return Reading(frozenset(name for name, holds in shared.items() if holds), own)


def features(reading: Reading, construct: str) -> NDArray[np.float64]:
    """(len(FEATURES),) of 0 and 1: the sentence as one head sees it."""
    own = [name in reading.own[construct] for name in OWN]
    return np.array([*own, *(name in reading.shared for name in SHARED)], float)


def stance(reading: Reading, construct: str, own_opinion: bool) -> int:
    """What a sentence says of this state of its speaker: 1 that it is there, -1 that it is not or no longer, 0 nothing.

    It does by a phrase of the state that is affirmed, denied or past, with "I" or an "I" left out; or, by `own_opinion`
    (the head's logit is above its threshold), by any sentence with "I".
    """
    own = reading.own[construct]
    if own & {"third", "idiom", "supposed"}:
        return 0
    first, implied = "firstPerson" in reading.shared, "impliedFirst" in reading.shared
    if own & {"affirmed", "negated", "recovered"} and (first or implied):
        return 1 if "affirmed" in own else -1
    return int(own_opinion and first and "thirdOnly" not in reading.shared)


def discounted(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows of features (sentences, len(FEATURES)) name the state only to deny it, to ask, of others, in a figure
    of speech or as past, or tell of a recovery: whatever the embedding makes of them, they affirm nothing."""
    named = table[:, 1 : len(OWN)].any(axis=1) | (table[:, FEATURES.index("recovery")] > 0)
    silent: NDArray[np.bool_] = named & (table[:, 0] == 0)
    return silent


def of_speaker(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows of features (sentences, len(FEATURES)) may speak of the speaker: with "I", or with an "I" left out."""
    mine: NDArray[np.bool_] = table[:, FEATURES.index("firstPerson")] + table[:, FEATURES.index("impliedFirst")] > 0
    return mine


def feature_table(readings: list[Reading]) -> dict[str, NDArray[np.float64]]:
    """For each construct (sentences, len(FEATURES))."""
    return {
        name: np.array([features(reading, name) for reading in readings]).reshape(-1, len(FEATURES))
        for name in CONSTRUCTS
    }


def _own(text: str, construct: str, whole: dict[str, bool], thing: int) -> frozenset[str]:
    whole_ways = {name for name, holds in whole.items() if holds}
    found: set[str] = set()
    for match in _TROUBLE[construct].finditer(text):
        denied = {"negated"} if _is_denied(text, match, strict=True) else set()
        figure = {"idiom"} if match.start() < thing else set()
        found |= whole_ways | denied | figure or {"affirmed"}
    for match in _OPPOSITE[construct].finditer(text):
        found |= whole_ways or {"affirmed" if _is_denied(text, match, strict=False) else "negated"}
    return frozenset(found)


def _is_elliptic(text: str) -> bool:
    """Whether a sentence without "I" may have left it out: short, and it opens the way such sentences do."""
    words = text.split()
    if len(words) > _SHORT or _IMPERSONAL.search(text):
        return False
    lead = _VERB.split(" ".join(words[:_LEAD]), maxsplit=1)[0]
    return _ELLIPTIC.search(text) is not None or any(pattern.search(lead) for pattern in _TROUBLE.values())


def _denials(text: str) -> list[re.Match[str]]:
    excused = [match.span() for match in _NO_DENIAL.finditer(text)]
    return [m for m in _DENIAL.finditer(text) if not any(start <= m.start() < end for start, end in excused)]


def _is_denied(text: str, hit: re.Match[str], strict: bool) -> bool:
    """Whether a negation before the hit, in its clause and near it, denies it.

    Not `strict`, what one cannot or only wants counts as denied too: "can't relax", "need a good night's sleep".
    """
    before = text[: hit.start()]
    denials = [match.end() for match in _denials(before + hit[0]) if match.end() <= hit.start()]
    if not strict:
        denials += [match.end() for match in _WANTED.finditer(before)]
    return any(len(before[end:].split()) < _SCOPE and _CLAUSE_END.search(before, end) is None for end in denials)

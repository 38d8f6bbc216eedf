"""Statements about self-harm in a transcript: rules that can be read and reviewed, no model.

A phrase of `safety_language.PATTERNS` counts when the speaker says it of themselves. It does not count when it

* is denied: a negation before it ("I don't want to die", "no plans to hurt myself", "I don't think I'm suicidal")
  whose reach holds no other word than those of TRANSPARENT, or a denial after it ("suicide is not an option");
* is said of somebody else ("my sister wanted to die"), by the subject of the verb;
* is what somebody asks ("the doctor asked if I wanted to die"), unless it is affirmed ("and I said yes");
* is a figure of speech or an accident, by the words beside it ("die of embarrassment", "cut myself shaving");
* is past and followed by a clear statement of recovery ("years ago I wanted to die but I'm well now"), with nothing
  that speaks of a relapse. A past statement without one counts.

In doubt a statement in the first person counts: what is said to the speaker ("the voices tell me to kill myself"),
hyperbole ("I'd kill myself if I lost this job") and words quoted without a sign of it ("she said I want to die"). It
finds words in English text and knows nothing of the person; silence about it is no sign of safety.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from apps.model_runs.wellness import safety_language as language
from apps.model_runs.wellness.interface import Segment, Transcript

SELF_HARM_WARNING = "Statements about self-harm were found in the transcript."

_REACH = 14  # words: how far back a subject or a negation is looked for
_BEFORE, _AFTER = 160, 240  # characters of plain text beside a phrase that are looked at for questions and recovery

_WORD = re.compile(r"[a-z']+|[0-9]+|[,;:\u2013\u2014()]|[.!?\n]+")
_HESITATIONS = frozenset(("um", "uh", "er", "erm", "hmm", "mm", "uhm", "ah"))
_REPEATED = frozenset(("i", "want", "to", "just", "the", "a", "my", "and"))
_IRREGULAR = {
    "cannot": "can not", "can't": "can not", "cant": "can not", "won't": "will not", "wont": "will not",
    "shan't": "shall not", "ain't": "am not", "aint": "am not", "i'm": "i am", "im": "i am", "ive": "i have",
    "id": "i would", "wanna": "want to", "gonna": "going to", "gotta": "got to", "tryna": "trying to",
    "anymore": "any more", "'cause": "because", "cos": "because", "cuz": "because", "selfharm": "self harm",
    "selfharming": "self harming", "let's": "let us", "it's": "it is", "that's": "that is", "he's": "he is",
    "she's": "she is", "there's": "there is", "what's": "what is", "life's": "life is", "everything's": "everything is",
    "who's": "who is", "theres": "there is", "thats": "that is",
}  # fmt: skip
_BARE_NEGATIONS = frozenset((
    "dont", "didnt", "doesnt", "wouldnt", "couldnt", "shouldnt", "isnt", "wasnt", "arent", "werent", "havent",
    "hasnt", "hadnt", "mustnt", "neednt",
))  # fmt: skip
_ENDINGS = {"n't": "not", "'m": "am", "'ve": "have", "'d": "would", "'ll": "will", "'re": "are"}
# Letters of other scripts that look like Latin ones, and the apostrophes.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u0501\u0261\u04bb\u043a\u043c\u0442\u043d\u0432"
    "\u03b1\u03bf\u03b9\u03bd\u03c1\u03c4\u03ba\u03b5\u0131\u2019\u2018\u02bc\u0060\u00b4\uff07",
    "aeopcyxisjdghkmthbaoivptkei''''''",
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """What was said, and when. Seconds from the start of the recording."""

    start_seconds: float
    finish_seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class _Words:
    """The plain text, with the way back to the transcript."""

    words: list[str]
    spans: list[tuple[int, int]]  # of each word, in the transcript's characters
    offsets: list[int]  # of each word, in `plain`
    plain: str

    def at(self, offset: int) -> int:
        """Index of the word that holds the character `offset` of `plain`."""
        return bisect_right(self.offsets, offset) - 1


def find_self_harm(transcript: Transcript) -> tuple[Phrase, ...]:
    """What the speaker says of harming themselves, in the order of time; overlapping phrases are given as one.

    Times are those of the transcript's segments, by position: character k of n lies at k/n of its segment, rounded
    to 0.1 s. A transcript without segments gives 0.0. Never raises; the time is linear in the length of the text.
    """
    segments = transcript.segments or (Segment(0.0, 0.0, transcript.text),)
    text = " ".join(segment.text for segment in segments)
    read = _read(text)
    found = sorted(
        span
        for pattern in language.PATTERNS
        for match in pattern.form.finditer(read.plain)
        if (span := _statement(read, match, pattern.own)) is not None
    )
    return tuple(_phrase(segments, text, *span) for span in _joined(found))


def safety(transcript: Transcript) -> dict[str, Any] | None:
    """`extensions.safety` of a run; None where there is no transcriber for the language, as nothing was read."""
    if not transcript.supported:
        return None
    phrases = find_self_harm(transcript)
    return {
        "selfHarmLanguage": bool(phrases),
        "phrases": [
            {"startSecs": phrase.start_seconds, "finishSecs": phrase.finish_seconds, "text": phrase.text}
            for phrase in phrases
        ],
    }


def warnings_of(found: dict[str, Any] | None) -> tuple[str, ...]:
    return (SELF_HARM_WARNING,) if found and found["selfHarmLanguage"] else ()


# -- reading ------------------------------------------------------------------------------------------------


def _read(text: str) -> _Words:
    folded, origin = _folded(text)
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    hesitated = False
    for match in _WORD.finditer(folded):
        raw = match[0]
        span = (origin[match.start()], origin[match.end() - 1] + 1)
        if raw.strip("'") in _HESITATIONS:
            hesitated = True
            if words and words[-1] == ",":
                words.pop()
                spans.pop()
            continue
        for word in _in_full(raw):
            if (hesitated and word == ",") or (words and word == words[-1] and word in _REPEATED):
                continue  # "I, um, want", "I I want to to"
            words.append(word)
            spans.append(span)
        hesitated = False
    offsets, position = [], 0
    for word in words:
        offsets.append(position)
        position += len(word) + 1
    return _Words(words, spans, offsets, " ".join(words))


def _folded(text: str) -> tuple[str, list[int]]:
    """Small plain letters (NFKC, casefold, look-alikes, no accents), and of each the position in `text`."""
    letters: list[str] = []
    origin: list[int] = []
    for position, letter in enumerate(text):
        plain = unicodedata.normalize("NFKD", letter.translate(_LOOKALIKES)).casefold().translate(_LOOKALIKES)
        for part in plain:
            if unicodedata.category(part) not in ("Mn", "Cf"):
                letters.append(part)
                origin.append(position)
    return "".join(letters), origin


def _in_full(raw: str) -> list[str]:
    if raw[0] in ".!?\n":
        return ["?" if "?" in raw else "."]
    if not (raw[0].isalnum() or raw[0] == "'"):
        return [","]
    if raw in _IRREGULAR:
        return _IRREGULAR[raw].split()
    if raw in _BARE_NEGATIONS:
        return [raw[:-2], "not"]
    for ending, word in _ENDINGS.items():
        if raw.endswith(ending) and len(raw) > len(ending):
            return [raw[: -len(ending)].strip("'"), word]
    bare = raw.strip("'")
    return [bare] if bare else []


# -- judging ------------------------------------------------------------------------------------------------


def _statement(read: _Words, match: re.Match[str], own: bool) -> tuple[int, int] | None:
    """The span in the transcript's characters if `match` is the speaker's own statement."""
    start, last = read.at(match.start()), read.at(match.end() - 1)
    subject = _subject(read.words, start)
    if subject is None and not own:
        return None
    first = start if subject is None else subject
    before = read.plain[max(0, match.start() - _BEFORE) : match.start()]
    after = read.plain[match.end() : match.end() + _AFTER]
    statement = read.plain[read.offsets[first] : match.end()]
    if _is_figure(statement, before, after) or _is_asked(before, after):
        return None
    if _is_denied(read.words, start) and not _is_news(before, after):
        return None
    if _is_over(statement, before, after):
        return None
    return read.spans[first][0], read.spans[last][1]


def _subject(words: list[str], start: int) -> int | None:
    """Where the statement begins if its verb is the speaker's, else None.

    The word before the verb and its adverbs decides: "I", or nothing at all ("just want to die"). After a
    conjunction or a comma it is the nearest pronoun before it ("I hate my life and want to die").
    """
    index = start - 1
    while index >= 0 and start - index <= _REACH and words[index] in language.FILLERS:
        index -= 1
    if index < 0 or words[index] in (".", "?"):
        return start
    if words[index] in language.FIRST:
        return index
    participle = words[start].endswith("ing")
    if words[index] not in language.JOINTS and not participle:
        return None
    others = False
    for place in range(index, max(-1, index - 2 * _REACH), -1):
        if words[place] in (".", "?"):
            break
        if words[place] in language.FIRST:
            return start
        if words[place] in language.OTHERS:
            return None
        others = others or words[place] in language.PERSONS
    return None if others else start


def _is_denied(words: list[str], start: int) -> bool:
    for index in range(start - 1, max(-1, start - 1 - _REACH), -1):
        word = words[index]
        if word in language.NEGATORS or (word == "far" and words[index + 1] == "from"):
            return True
        if word in ("i", "we"):
            return _is_denied_above(words, index)
        if word in language.NEGATION_ENDS or word not in language.TRANSPARENT | {"from"}:
            return False
    return False


def _is_denied_above(words: list[str], subject: int) -> bool:
    """ "I don't think (that) I …", "it's not that I …", "never have I …"."""
    index = subject - 1
    while index >= 0 and words[index] in ("that", "like", "as", "though", "because", "have", "did"):
        index -= 1
    if index < 0:
        return False
    if words[subject - 1] in ("have", "did") and "never" in words[max(0, index - 3) : index]:
        return True  # "never in my life have I …"
    if words[index] in ("not", "never"):
        return index < subject - 1  # "not I" alone is none
    return words[index] in language.RAISING and any(
        word in ("not", "never", "no") for word in words[max(0, index - 2) : index]
    )


def _is_news(before: str, after: str) -> bool:
    """A negation that tells of the thing itself: "I have not cut myself for three days"."""
    recent = language.PERFECT.search(before) and language.RECENTLY.match(after)
    return bool(recent or language.MORE_THAN_EVER.match(after))


def _is_figure(statement: str, before: str, after: str) -> bool:
    if any(phrase.search(statement) and beside.match(after) for phrase, beside in language.FIGURES):
        return True
    if language.ON_PURPOSE.match(after) or language.INTENT.search(statement):
        return False
    return bool(language.BY_ACCIDENT.search(before)) or any(
        phrase.search(statement) and beside.match(after) for phrase, beside in language.ACCIDENTS
    )


def _is_asked(before: str, after: str) -> bool:
    sentence = re.split(r"[.?]", before)[-1].lstrip()
    asked = language.ASKED.search(sentence) or language.INVERTED.search(sentence)
    return bool(asked) and not language.AFFIRMED.match(after)


def _is_over(statement: str, before: str, after: str) -> bool:
    sentence = re.split(r"[.?]", before)[-1]
    past = language.PAST.search(statement) or language.LONG_AGO.search(f"{sentence}{statement}{after[:60]}")
    recovered = past and language.RECOVERED.search(after)
    return bool(recovered) and not language.RELAPSED.search(after)


# -- answering ----------------------------------------------------------------------------------------------


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, finish in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], finish))
        else:
            joined.append((start, finish))
    return joined


def _phrase(segments: tuple[Segment, ...], text: str, start: int, finish: int) -> Phrase:
    return Phrase(_seconds(segments, start), _seconds(segments, finish), text[start:finish])


def _seconds(segments: tuple[Segment, ...], position: int) -> float:
    """The moment of a position in the segments' texts, joined by one space."""
    begin = 0
    for segment in segments:
        length = len(segment.text)
        if position <= begin + length:
            share = (position - begin) / length if length else 0.0
            seconds = segment.start_seconds + max(0.0, share) * (segment.finish_seconds - segment.start_seconds)
            return round(seconds, 1)
        begin += length + 1
    return round(segments[-1].finish_seconds, 1)

"""What one text says of its speaker: for each construct a logit, whether it is said at all, and the phrases."""

from __future__ import annotations

from dataclasses import dataclass

from apps.model_runs.wellness.words import grammar
from apps.model_runs.wellness.words.embedding import load_encoder
from apps.model_runs.wellness.words.heads import WordModel, head_logits, pool
from apps.model_runs.wellness.words.sentences import distinct_sentences


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence of the text, and its own logit above (or below) the head's threshold."""

    text: str
    logit: float


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says of one state.

    `logit` is the pooled logit of the text minus the head's threshold, `score_texts` before the logistic function.
    `gate` is 1 if sentences about the person's own state say what the sign of `logit` says, that it is there or that
    it is not, else 0: a complaint that is lost among everyday sentences is no denial. `phrases` are those sentences,
    the strongest first.
    """

    logit: float
    gate: float
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class WordReading:
    """What a text says, by construct (lexicon.CONSTRUCTS)."""

    said: dict[str, Said]


def read_words(model: WordModel, text: str) -> WordReading:
    """The reading of an English text of any length; without words every gate is 0. Never raises on a text."""
    sentences = distinct_sentences(text)
    embeddings = load_encoder().embed(sentences)
    readings = [grammar.read(sentence) for sentence in sentences]
    table = grammar.feature_table(readings)
    said = {}
    for name, head in model.heads.items():
        logits = head_logits(head, embeddings, table[name])
        total = pool(logits) - head.threshold
        sign = 1 if total > 0 else -1
        stances = [
            grammar.stance(reading, name, own_opinion=bool(logit > head.threshold))
            for reading, logit in zip(readings, logits, strict=True)
        ]
        phrases = [
            Phrase(sentence, float(logit - head.threshold))
            for sentence, stance, logit in zip(sentences, stances, logits, strict=True)
            if stance == sign and (sign > 0 or 1 not in stances)
        ]
        phrases.sort(key=lambda phrase: phrase.logit, reverse=sign > 0)
        said[name] = Said(total, float(bool(phrases)), tuple(phrases))
    return WordReading(said)

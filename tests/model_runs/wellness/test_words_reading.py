"""What the words of one text say of its speaker: the gate, the logit, the phrases, and odd texts."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.model_runs.wellness.words import heads
from apps.model_runs.wellness.words.letters import legible
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS
from apps.model_runs.wellness.words.reading import WordReading, read_words
from apps.model_runs.wellness.words.sentences import distinct_sentences

MODEL = heads.load_model()
EVERYDAY = (
    "On Saturday I went to the market with my sister. We bought apples, bread and some cheese. "
    "Then I cooked a soup and we watched the football. The bus home was on time."
)


def read(text: str) -> WordReading:
    return read_words(MODEL, text)


def gates(text: str) -> dict[str, float]:
    return {name: said.gate for name, said in read(text).said.items()}


def test_everyday_words_open_no_gate() -> None:
    assert gates(EVERYDAY) == dict.fromkeys(CONSTRUCTS, 0.0)
    assert all(said.logit < 0 and said.phrases == () for said in read(EVERYDAY).said.values())


def test_a_statement_opens_its_gate_and_is_the_phrase() -> None:
    stress = read(f"{EVERYDAY} I am so stressed.").said["stress"]
    assert stress.gate == 1
    assert stress.logit > 0
    assert [phrase.text for phrase in stress.phrases] == ["I am so stressed."]
    assert stress.phrases[0].logit > 0


def test_a_denial_opens_the_gate_and_speaks_against() -> None:
    stress = read("I am not stressed at all").said["stress"]
    assert (stress.gate, [phrase.text for phrase in stress.phrases]) == (1, ["I am not stressed at all"])
    assert stress.logit < 0
    assert stress.phrases[0].logit < 0


def test_a_complaint_that_is_lost_among_everyday_sentences_is_no_denial() -> None:
    text = "It was the age of wisdom. It was the season of light. It was the winter of despair. We went the other way."
    distress = read(text).said["distress"]
    assert distress.logit < 0
    assert distress.gate == 0


@pytest.mark.parametrize(
    "text",
    [
        "My sister is so stressed.", "He says that he is exhausted.", "My leg fell asleep.", "The battery is drained.",
        "She feels like a failure.", "The stress is on the second syllable.", "Everyone at the office seems exhausted.",
        "If I were stressed I would tell you.", "Are you depressed?",
    ],
)  # fmt: skip
def test_others_and_figures_of_speech_open_no_gate(text: str) -> None:
    assert gates(text) == dict.fromkeys(CONSTRUCTS, 0.0)


@pytest.mark.parametrize("text", ["", "   ", "...!?", "\u200b", "\U0001f634"])
def test_no_words_open_no_gate(text: str) -> None:
    assert gates(text) == dict.fromkeys(CONSTRUCTS, 0.0)
    assert all(math.isfinite(said.logit) and said.logit < 0 for said in read(text).said.values())


def test_the_strongest_phrase_comes_first() -> None:
    stress = read("I'm a bit tense. We had lunch. I am so stressed out, I can't cope with the workload.").said["stress"]
    assert stress.phrases[0].text.startswith("I am so stressed out")
    assert [phrase.logit for phrase in stress.phrases] == sorted((p.logit for p in stress.phrases), reverse=True)


def test_a_looped_sentence_counts_once() -> None:
    once, often = read("I am so stressed."), read("I am so stressed. " * 50)
    assert often == once
    assert read("i am so stressed " * 50) == read("i am so stressed")
    assert heads.score_texts(MODEL, ["I am so stressed. " * 50]) == heads.score_texts(MODEL, ["I am so stressed."])
    assert distinct_sentences("Yes! No. yes - no.") == ["Yes!", "No.", "yes - no."]


def test_lookalike_letters_are_read_as_what_they_show() -> None:
    assert legible("I \u0430m s\u043e str\u0435\u0455\u0455\u0435d") == "I am so stressed"
    assert (
        legible("\uff29 \uff41\uff4d \uff53\uff4f \uff53\uff54\uff52\uff45\uff53\uff53\uff45\uff44")
        == "I am so stressed"
    )
    assert legible("I\u2019m st\u00adres\u200bsed") == "I'm stressed"
    assert legible("sooo sleeeepyyy, noooo, 1000 m") == "so sleepy, no, 1000 m"
    assert read("I \u0430m s\u043e str\u0435\u0455\u0455\u0435d").said == read("I am so stressed").said
    assert legible("\u0443\u0441\u0442\u0430\u043b\u0430 caf\u00e9") == "\u0443\u0441\u0442\u0430\u043b\u0430 caf\u00e9"
    everyday = EVERYDAY.replace("a", "\u0430").replace("o", "\u043e")
    assert gates(everyday) == dict.fromkeys(CONSTRUCTS, 0.0)


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_no_text_raises(text: str) -> None:
    assert all(math.isfinite(said.logit) and said.gate in (0, 1) for said in read(text).said.values())


def test_ten_thousand_words_are_read() -> None:
    words = " ".join(f"On day {n} I went to shop number {n} and bought {n % 7} apples." for n in range(770))
    assert len(words.split()) > 10_000
    assert gates(words) == dict.fromkeys(CONSTRUCTS, 0.0)
    assert gates("word " * 10_000) == dict.fromkeys(CONSTRUCTS, 0.0)


def test_reading_costs_little_beside_transcription() -> None:
    """Three minutes of brisk speech are some 500 words and take more than 20 s to transcribe; 3 % of it are 0.6 s.

    Processor time with a generous bound: this catches a wrong order of growth, `benchmarks` measure the rest.
    """
    words = " ".join(f"On day {n} I went to shop number {n} and bought {n % 7} apples." for n in range(39))
    read(words)
    started = time.process_time()
    read(words)
    assert time.process_time() - started < 1.2

"""Which statements count as being about self-harm, and which do not, by kind; and that nothing makes the rules fail."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.model_runs.wellness.interface import Segment, Transcript
from apps.model_runs.wellness.safety import SELF_HARM_WARNING, find_self_harm, safety
from apps.model_runs.wellness.safety_language import PATTERNS

ACTIVE = (
    "I want to die.", "i just want to die", "Some days I want to kill myself.", "I'm going to kill myself tonight.",
    "i wanna kill myself", "I keep thinking about killing myself", "I have been thinking about suicide a lot",
    "i cant stop thinking about killing myself", "I can't stop thinking about ending my life", "I feel suicidal",
    "im suicidal", "I've been having suicidal thoughts again", "I have thoughts of suicide every night",
    "I am considering suicide", "I want to end it all", "I think about ending it all", "I want to take my own life",
    "I'd like to end my life", "The voices tell me to kill myself", "I'm scared that I will kill myself",
    "sometimes I just really want to be dead", "I hate my life and want to die", "I love my sister and want to die",
    "this makes me want to die", "Every morning I wake up wanting to die", "part of me wants to die",
    "all I want is to die", "I tried to kill myself last month", "I have tried to commit suicide",
    "After my suicide attempt I told nobody", "how would I kill myself without pain", "Why do I want to die?",
    "I'm so tired of everything I just want to end it", "I'm going to end it tonight",
    "I've had enough I want to end my life", "I bought a rope to hang myself with",
)  # fmt: skip
PASSIVE = (
    "I wish I was dead", "i wish i were dead", "I wish I had never been born", "I don't want to live anymore",
    "i dont want to be alive", "I don't want to be here anymore", "I no longer want to live",
    "I hope I don't wake up tomorrow", "I wish I could fall asleep and never wake up",
    "I want to go to sleep and not wake up", "I'd be better off dead", "They would be better off without me",
    "everyone is better off without me", "I'd rather be dead", "There is no reason to live",
    "I see no point in living", "I don't see any point in being alive", "I have nothing to live for",
    "My life isn't worth living", "I am tired of living", "I can't go on living", "I wouldn't mind if I died",
    "I deserve to die", "I don't deserve to live", "nobody would miss me if I died", "I don't know if I want to live",
    "I don't think I want to live", "I don't care if I die", "I want to disappear forever", "let me die",
    "what is the point of living", "there is no point living anymore", "If I died tomorrow nobody would care",
    "I might as well be dead", "I've never wanted to die so much", "I want it all to end",
    "my family would be happier if I was gone", "I am ready to die", "I wish I'd never been born",
    "sometimes I think it would be easier if I was dead", "It would be easier for everyone if I wasn't here",
    "I have no reason to keep living", "I just want to not be alive", "I can't go on anymore",
)  # fmt: skip
MEANS_AND_INJURY = (
    "I took an overdose", "I want to overdose", "I have been saving up my pills",
    "I thought about jumping off a bridge", "I imagine driving into a tree",
    "I feel like stepping in front of a train", "I cut myself", "i've been cutting myself", "I want to hurt myself",
    "I burn myself with cigarettes", "I slit my wrists", "I cut my arms when I am alone", "I self-harm",
    "I have urges to self harm", "I am going to hang myself", "I wrote a goodbye letter", "I swallowed all my pills",
    "I wanted to throw myself off the balcony", "I cut myself on purpose", "I am hurting myself again",
    "I put a gun to my head", "i've been cutting again", "I relapsed and started cutting again",
    "I feel suicidal at work", "I want to kill myself at home", "I nearly killed myself",
    "I cut myself with a kitchen knife", "I think about killing myself at work",
    "I want to throw myself into the river", "i want to kill myself people do not care",
    "I want to hurt myself at work", "I am thinking of cutting myself on the bread knife",
)  # fmt: skip
PAST_WITHOUT_RECOVERY = (
    "I tried to kill myself and I no longer feel anything", "I wanted to die and I am not better now",
    "Years ago I wanted to die.", "When I was a teenager I tried to kill myself", "I used to cut myself",
    "last winter I wanted to die and I never told anyone", "I was suicidal in the past",
    "Years ago I wanted to die, I got better, but lately it came back.", "I have not cut myself for three days",
    "The doctor asked if I wanted to die and I said yes.", "She asked whether I think about suicide. Sometimes.",
    "they asked about my sleep and I said I want to die",
)  # fmt: skip
AS_RECOGNISED = (
    "so yeah um i want to um die", "I, um, want to die", "i i want to to die i think", "I DON'T WANT TO LIVE",
    "I don\u2019t want to live any more", "\uff29 \uff57\uff41\uff4e\uff54 \uff54\uff4f \uff44\uff49\uff45",
    "I w\u0430nt t\u043e di\u0435", "I want to d\u200bie",
    "\U0001d408 \U0001d430\U0001d41a\U0001d427\U0001d42d to die", "i could not sleep and i want to die",
    "i dont know i want to die", "I'm not going to lie, I want to die", "I'm not only tired, I am suicidal",
    "I can't sleep, want to die", "i don't want to hurt anyone but i want to kill myself",
)  # fmt: skip
POSITIVE = {
    "active": ACTIVE, "passive": PASSIVE, "means and injury": MEANS_AND_INJURY, "past": PAST_WITHOUT_RECOVERY,
    "as recognised": AS_RECOGNISED,
}  # fmt: skip

DENIED = (
    "I don't want to die.", "i dont want to die", "I would never hurt myself.", "I'm not suicidal", "im not suicidal",
    "I have never wanted to kill myself", "I am not going to kill myself", "I don't have suicidal thoughts",
    "I have no thoughts of suicide", "I have no plans to kill myself", "no intention of killing myself",
    "I don't think I want to die", "I'm not saying I want to die", "It's not that I want to die",
    "I do not feel suicidal", "I don't want to die or hurt myself", "I am neither depressed nor suicidal",
    "I'm far from suicidal", "I would never think about ending my life", "I never thought about suicide",
    "I wouldn't take my own life", "Killing myself is not an option.",
    "I don't want to kill myself and I like my work", "never did I want to die",
    "Never in my life have I wanted to kill myself", "Nothing could make me want to die",
    "self harm is something I would never do", "My therapist helped me and I have no urge to hurt myself",
    "I stopped cutting myself", "I no longer want to die", "without wanting to die", "I'm not feeling suicidal at all",
)  # fmt: skip
OTHER_PEOPLE = (
    "He said he wants to kill himself.", "My sister cut herself.", "my brother wanted to die", "She was suicidal",
    "my uncle committed suicide", "They want to die", "My friend tried to kill herself",
    "my mother is tired of living", "people who want to die", "he took an overdose", "I work with suicidal patients",
    "I think my sister wanted to die", "My neighbour, who was ill, wanted to die", "my dad had suicidal thoughts",
    "I know he is suicidal", "The patient attempted suicide", "my cousin self harms",
    "The character in the film wanted to die", "He was sad and wanted to die", "I volunteer in suicide prevention",
    "do you want to die",
)  # fmt: skip
IDIOMS = (
    "This commute is killing me.", "I could murder a curry", "I'm dying to see you", "I was bored to death",
    "We had some time to kill", "I am dead tired", "I was dead wrong", "I nearly died laughing", "that joke killed me",
    "I wanted to die of embarrassment", "I want to die my hair blue", "my feet are killing me",
    "I would kill for a coffee", "I shot myself in the foot with that email", "I cut myself shaving",
    "I cut myself on the bread knife", "I burned myself cooking", "I hurt myself playing football",
    "I accidentally cut myself", "I hurt myself at the gym", "I'd rather die than eat that", "over my dead body",
    "It is a matter of life and death", "the deadline is killing us", "I'm killing myself to meet this deadline",
    "I burned myself out", "I kicked myself for missing it", "I want to die at home when I am old", "my phone died",
    "I worked myself to death", "the suspense was killing me", "I overdosed on chocolate at Christmas",
    "I hit myself with the door", "I hit myself on the head with the cupboard", "I cut myself some slack",
    "I cut myself off from my friends", "I hurt myself falling off my bike", "I will throw myself into my work",
    "I cut my arm on the fence",
)  # fmt: skip
ASKED = (
    "The doctor asked if I wanted to die.", "She asked whether I think about suicide and I said no.",
    "they asked me about suicidal thoughts", "the form asked if I had thoughts of suicide or self harm",
    "Do I want to die? No.", "Why would I want to die?", "he asked me do i want to kill myself and i said no",
    "the nurse asked if I was suicidal. I am not.",
)  # fmt: skip
RECOVERED = (
    "Years ago I wanted to die but I'm well now.", "I used to cut myself. I'm much better now.",
    "I was suicidal when I was a student, but now I am happy", "I tried to kill myself and I'm glad I survived",
    "ten years ago i wanted to die and i have recovered", "I used to think about suicide, those days are behind me",
    "I was suicidal back then and I don't feel like that any more",
)  # fmt: skip
NEUTRAL = (
    "", " ", "Today I walked to the market.", "It was the best of times, it was the worst of times.",
    "I want to diet and live a long life", "I live with my sister and I enjoy being alive",
    "My grandmother died last year and I miss her", "I want to go home and sleep", "I feel exhausted and sad",
    "I hate my job and I want to quit", "I hope I wake up early tomorrow", "I watched a crime series about a murder",
    "We buried our dog", "I wish I was rich", "I am better off without him", "I cut the bread and burned the toast",
    "I drove over the bridge and into town", "I took my pills this morning", "I can't go on holiday this year",
    "I have a reason to live and a lot to live for", "I don't want to live in London any longer", "I wake up at six",
    "I'm tired of living in this flat", "I am going to walk out of the building",
    "there is no reason to live in London", "I don't want to be here at this meeting",
    "I want to jump into the car and drive home", "I think about my life a lot", "I do not want to be late",
    "I enjoy myself", "I don't want to wake up early", "I hope I don't wake up with a headache",
    "I wouldn't want to live anywhere else",
)  # fmt: skip
NEGATIVE = {
    "denied": DENIED, "other people": OTHER_PEOPLE, "idioms": IDIOMS, "asked": ASKED, "recovered": RECOVERED,
    "neutral": NEUTRAL,
}  # fmt: skip


def said(text: str) -> Transcript:
    return Transcript(text, (Segment(2.0, 6.0, text),) if text else ())


def each(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(kind, text) for kind, texts in table.items() for text in texts]


@pytest.mark.parametrize(("kind", "text"), each(POSITIVE))
def test_reports(kind: str, text: str) -> None:
    [phrase, *_] = find_self_harm(said(text)) or [None]
    assert phrase is not None
    assert phrase.text in text
    assert 2.0 <= phrase.start_seconds < phrase.finish_seconds <= 6.0


@pytest.mark.parametrize(("kind", "text"), each(NEGATIVE))
def test_keeps_quiet(kind: str, text: str) -> None:
    assert find_self_harm(said(text)) == ()


def test_both_tables_are_long_enough_and_use_every_kind_of_pattern() -> None:
    positives = [text for _, text in each(POSITIVE)]
    negatives = [text for _, text in each(NEGATIVE)]
    assert len(set(positives)) == len(positives) >= 60
    assert len(set(negatives)) == len(negatives) >= 60
    plain = [text.lower().replace("'m", " am").replace("'ve", " have").replace("-", " ") for text in positives]
    for kind in {pattern.kind for pattern in PATTERNS}:
        forms = [pattern.form for pattern in PATTERNS if pattern.kind == kind]
        assert any(form.search(text) for form in forms for text in plain), kind


def test_the_time_is_that_of_the_words_in_their_segment() -> None:
    #          0123456789012345678901234567890123456789
    before, text = "A quiet day.", "It was cold. I want to die. It rained  a"
    segments = (Segment(0.5, 2.0, before), Segment(10.0, 14.0, text))
    [phrase] = find_self_harm(Transcript(f"{before} {text}", segments))
    assert phrase.text == "I want to die"
    assert (phrase.start_seconds, phrase.finish_seconds) == (11.3, 12.6)  # 13/40 and 26/40 of four seconds


def test_a_statement_may_run_over_two_segments() -> None:
    segments = (Segment(1.0, 2.0, "and now I want"), Segment(5.0, 6.0, "to die I think"))
    [phrase] = find_self_harm(Transcript("and now I want to die I think", segments))
    assert phrase.text == "I want to die"
    assert (phrase.start_seconds, phrase.finish_seconds) == (1.6, 5.4)


def test_a_text_without_segments_is_read_all_the_same() -> None:
    [phrase] = find_self_harm(Transcript("I want to die"))
    assert (phrase.start_seconds, phrase.finish_seconds) == (0.0, 0.0)


def test_overlapping_phrases_are_one_and_others_stay_apart() -> None:
    text = "I have been thinking about killing myself and ending my life. Then I ate. I want to die."
    texts = [phrase.text for phrase in find_self_harm(said(text))]
    assert texts == ["I have been thinking about killing myself", "ending my life", "I want to die"]
    assert [phrase.text for phrase in find_self_harm(said("I think about ending it all"))] == [
        "I think about ending it all"
    ]


def test_the_section_of_a_run() -> None:
    assert safety(said("I want to die")) == {
        "selfHarmLanguage": True,
        "phrases": [{"startSecs": 2.0, "finishSecs": 6.0, "text": "I want to die"}],
    }
    assert safety(said("I like tea")) == safety(said("")) == {"selfHarmLanguage": False, "phrases": []}
    assert safety(Transcript("", (), supported=False)) is None
    assert SELF_HARM_WARNING == "Statements about self-harm were found in the transcript."


VOCABULARY = sorted({word for _, text in each(POSITIVE) + each(NEGATIVE) for word in text.split()})


@hypothesis_settings(deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(VOCABULARY), max_size=60).map(" ".join)))
def test_no_text_makes_it_fail(text: str) -> None:
    for phrase in find_self_harm(Transcript(text, (Segment(1.0, 4.0, text),))):
        assert phrase.text in text
        assert phrase.text.strip()
        assert 1.0 <= phrase.start_seconds <= phrase.finish_seconds <= 4.0


@pytest.mark.parametrize(
    "unit", ["I want to die", "kill myself", "not", "my", ",", "i wish i was", "he asked if I", "'"]
)
def test_ten_thousand_words_take_no_more_than_a_moment(unit: str) -> None:
    text = " ".join([unit] * (10_000 // len(unit.split())))
    begin = time.process_time()
    find_self_harm(said(text))
    assert time.process_time() - begin < 5.0


def test_the_time_grows_with_the_length_and_not_with_its_square() -> None:
    words = random.Random(1).choices(VOCABULARY, k=16_000)

    def seconds(count: int) -> float:
        text = " ".join(words[:count])
        taken = []
        for _ in range(3):
            begin = time.process_time()
            find_self_harm(said(text))
            taken.append(time.process_time() - begin)
        return min(taken)

    assert seconds(16_000) < 20 * seconds(2_000)  # 8 times the words

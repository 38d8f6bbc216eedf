"""Voice and words together: gates, limits, evidence, and the reasons that come of both."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.model_runs.wellness.explain import MOST_REASONS, explain
from apps.model_runs.wellness.fusion import Fused, fuse, transcript_confidence
from apps.model_runs.wellness.heads import FEMALE, MALE, VoiceModel, VoiceReading, load_voice, read_voice
from apps.model_runs.wellness.interface import DIMENSIONS, Quality, Speech, Transcript
from apps.model_runs.wellness.scores import percentile, to_share
from apps.model_runs.wellness.words.reading import Phrase, Said, WordReading

MODEL = load_voice()
SILENT = Said(-6.0, 0.0, ())
GOOD = Quality("GOOD", 30.0, 0.0, 8_000.0, ())


def usual(group: str, **steps: float) -> dict[str, float]:
    found = dict(zip(MODEL.features, MODEL.groups[group].centre.tolist(), strict=True))
    return found | {name: found[name] + step for name, step in steps.items()}


def tense() -> VoiceReading:
    return read_voice(MODEL, usual(MALE, pitchMedian=6, hnr=-4, h1h2=5), "MALE")


def said(**about: Said) -> WordReading:
    return WordReading({name: about.get(name, SILENT) for name in (*DIMENSIONS, "mentalStrain")})


def statement(logit: float, *phrases: Phrase) -> Said:
    return Said(logit, 1.0, phrases or (Phrase("I am so stressed.", logit),))


def of_voice(model: VoiceModel, reading: VoiceReading, name: str) -> float:
    dimension = model.dimensions[name]
    return percentile(model.heads[dimension.head].reference[reading.group], reading.logits[name])


def test_without_words_stress_is_the_percentile_of_the_voice() -> None:
    reading = tense()
    fused = fuse(MODEL, reading, said(), 1.0)
    assert to_share(fused["stress"].logit) == pytest.approx(of_voice(MODEL, reading, "stress"), abs=1e-6)
    assert (fused["stress"].evidence, fused["stress"].spoken) == ("acted_proxy", False)


def test_weaker_evidence_stays_nearer_to_the_middle() -> None:
    reading = tense()
    fused = fuse(MODEL, reading, said(), 1.0)
    for name, weight in (("distress", 0.5), ("exhaustion", 0.25), ("sleepPropensity", 0.25)):
        alone = of_voice(MODEL, reading, name)
        assert fused[name].logit == pytest.approx(weight * math.log(alone / (1 - alone)), abs=1e-3)


def test_self_esteem_is_the_middle_unless_something_is_said() -> None:
    silent, spoken = (fuse(MODEL, tense(), words, 1.0)["lowSelfEsteem"] for words in
                      (said(), said(lowSelfEsteem=statement(2.0))))  # fmt: skip
    assert (silent.logit, silent.unknown, silent.spoken) == (0.0, True, False)
    assert spoken.logit == pytest.approx(3.0)
    assert (spoken.unknown, spoken.evidence) == (False, "authored_words")


@given(st.floats(-8, 8), st.floats(0, 1))
def test_a_shut_gate_lets_no_word_through(logit: float, trust: float) -> None:
    shut = fuse(MODEL, tense(), said(stress=Said(logit, 0.0, ())), trust)
    assert shut["stress"] == fuse(MODEL, tense(), said(), 1.0)["stress"]


@pytest.mark.parametrize(("logit", "trust", "part"), [(9.0, 1.0, 4.5), (-9.0, 1.0, -3.0), (1.0, 0.5, 0.75)])
def test_the_word_logit_is_limited_and_weighed_by_the_transcript(logit: float, trust: float, part: float) -> None:
    fused = fuse(MODEL, tense(), said(stress=statement(logit)), trust)["stress"]
    assert fused.words == pytest.approx(part)


def test_evidence_is_of_the_part_that_decides() -> None:
    reading = tense()
    words, voice = said(exhaustion=statement(2.0)), said(stress=statement(0.1))
    assert fuse(MODEL, reading, words, 1.0)["exhaustion"].evidence == "authored_words"
    assert fuse(MODEL, reading, voice, 1.0)["stress"].evidence == "acted_proxy"


def test_words_tell_exhaustion_and_sleepiness_apart() -> None:
    fused = fuse(MODEL, tense(), said(sleepPropensity=statement(2.0)), 1.0)
    assert to_share(fused["sleepPropensity"].logit) > to_share(fused["exhaustion"].logit) + 0.3


EVERYDAY = (
    "On Saturday we went to the market with my sister and bought apples, bread and some cheese for the evening. "
    "Then it rained."
)


@pytest.mark.parametrize(
    ("text", "seconds", "level", "expected"),
    [
        ("", 10, "GOOD", 0.0), (EVERYDAY, 10, "GOOD", 1.0), (EVERYDAY, 10, "FAIR", 0.8), (EVERYDAY, 10, "POOR", 0.5),
        (EVERYDAY, 2, "GOOD", 0.5), (EVERYDAY, 90, "GOOD", 0.5), ("It is the same, " * 12, 10, "GOOD", 0.0),
    ],
)  # fmt: skip
def test_confidence_of_a_transcript(text: str, seconds: float, level: str, expected: float) -> None:
    speech = Speech(((0.0, seconds),), seconds, np.ones(round(100 * seconds), bool))
    found = transcript_confidence(Transcript(text), speech, Quality(level, 30.0, 0.0, 8_000.0, ()))
    assert found == pytest.approx(expected)


# --- Reasons ---
def reasons_of(words: WordReading, reading: VoiceReading) -> list[dict[str, object]]:
    return list(explain(MODEL, reading, words, fuse(MODEL, reading, words, 1.0)))


def test_reasons_are_the_strongest_contributions_in_plain_words() -> None:
    reading = tense()
    reasons = explain(MODEL, reading, said(), fuse(MODEL, reading, said(), 1.0))
    for score in DIMENSIONS:
        mine = [reason for reason in reasons if reason["score"] == score]
        sizes = [abs(reason["weight"]) for reason in mine]
        weight = MODEL.dimensions[score].voice_weight
        assert len(mine) <= MOST_REASONS
        assert (len(mine) > 0) == (weight > 0)
        strongest = np.sort(np.abs(reading.contributions[score]) * weight)[::-1]
        assert sizes == pytest.approx(strongest[: len(sizes)].tolist(), abs=1e-4)
    for reason in reasons:
        assert set(reason) == {
            "score", "kind", "feature", "value", "unit", "referenceLow", "referenceHigh", "direction", "weight",
            "phrase", "text",
        }  # fmt: skip
        assert (reason["kind"], reason["phrase"]) == ("VOICE", None)
        assert reason["referenceLow"] < reason["referenceHigh"]
        assert reason["direction"] == ("UP" if reason["weight"] > 0 else "DOWN")
        assert not {"because", "cause", "due to"} & set(reason["text"].lower().split())
    pitch = next(r for r in reasons if r["score"] == "stress" and r["feature"] == "pitchMedian")
    assert pitch["text"].startswith(
        "Pitch was higher, compared with men in the reference; the model counts this towards"
    )


def test_a_phrase_is_a_reason_with_the_words_part_of_the_score() -> None:
    words = said(stress=statement(2.0, Phrase("I am so stressed.", 3.0), Phrase("I worry all day.", 1.0)))
    mine = [r for r in reasons_of(words, tense()) if r["score"] == "stress" and r["kind"] == "WORDS"]
    assert [(r["phrase"], r["weight"], r["direction"]) for r in mine] == [
        ("I am so stressed.", 2.25, "UP"),
        ("I worry all day.", 0.75, "UP"),
    ]
    assert all(r[name] is None for r in mine for name in ("feature", "value", "unit", "referenceLow", "referenceHigh"))
    assert all("stressed" not in str(r["text"]) for r in mine)


def test_a_denial_is_a_reason_downwards() -> None:
    mine = [r for r in reasons_of(said(stress=statement(-4.0)), tense()) if r["kind"] == "WORDS"]
    assert [(r["weight"], r["direction"]) for r in mine] == [(-3.0, "DOWN")]


def test_a_voice_in_the_middle_of_its_peers_has_no_reasons() -> None:
    assert all(
        abs(float(str(r["weight"]))) < 0.2 for r in reasons_of(said(), read_voice(MODEL, usual(FEMALE), "FEMALE"))
    )


def test_a_missing_measurement_is_no_reason() -> None:
    missing = read_voice(MODEL, usual(MALE) | {"pitchMedian": math.nan, "hnr": 30.0}, "MALE")
    assert "pitchMedian" not in {r["feature"] for r in reasons_of(said(), missing)}


def test_what_neither_voice_nor_words_tell_has_no_reason() -> None:
    fused = Fused(0.0, 0.0, False, "authored_words", True)
    assert fused.logit == 0
    assert "lowSelfEsteem" not in {r["score"] for r in reasons_of(said(), tense())}

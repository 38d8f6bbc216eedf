"""Recordings that are not a grown person talking: scores with low confidence and a warning, or the contract's refusal.

Never an exception, and never a certainty that is not there; and ordinary recordings are left in peace.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.model_runs.wellness import confidence, doubts, pipeline, transcribe
from apps.model_runs.wellness.interface import QUALITY_WARNING, Analysis, ErrorCode, Limits, Person, Samples, Transcript
from apps.model_runs.wellness.model import shipped
from apps.model_runs.wellness.scores import SCORES, continuous
from apps.model_runs.wellness.speech import find_speech
from apps.model_runs.wellness.training.disturbances import disturb
from apps.model_runs.wellness.words.strangeness import reads_strangely
from tests import audio
from tests.model_runs.wellness import odd_voices, voices

MAN = Person(birth_sex="MALE", language="en-GB")
SHORT = Limits(min_speech_seconds=1)
NO_TRANSCRIBER = "There is no transcriber for de-DE; the scores rest on the voice alone."


def reading() -> Samples:
    return audio.cut(audio.speech_44s(), 0, 17)


def over(background: Callable[[float], Samples], decibels: float) -> Samples:
    """The reading with something under it, so many decibels weaker."""
    sound = 0.5 * reading()
    under = background(len(sound) / audio.RATE)
    return audio.mix(sound, audio.gain(under, audio.level_db(sound) - decibels - audio.level_db(under)))


def two_voices() -> Samples:
    other = audio.repeat_to(audio.faster(audio.speech_10s(), 1.6), 25)
    return odd_voices.taking_turns(audio.speech_44s(), other)


# name -> (the sound, what must be said of it)
VOICES: dict[str, tuple[Callable[[], Samples], str]] = {
    "whisper": (lambda: odd_voices.whispered(reading()), doubts.TALK_WARNING),
    "shouting": (lambda: odd_voices.shouted(reading()), doubts.TALK_WARNING),
    "singing": (lambda: odd_voices.sung(reading()), doubts.TALK_WARNING),
    "two speakers": (two_voices, doubts.TALK_WARNING),
    "child": (lambda: odd_voices.childlike(audio.cut(audio.speech_44s(), 0, 25)), doubts.CHILD_SOUND_WARNING),
    "text to speech": (lambda: odd_voices.synthetic(reading()), doubts.TALK_WARNING),
    "loop": (lambda: audio.repeat_to(audio.cut(audio.speech_44s(), 0, 3), 18), doubts.LOOP_WARNING),
    "clipped": (lambda: audio.clip(reading(), 35), doubts.ISSUE_WARNINGS["CLIPPING"]),
    "telephone": (lambda: audio.telephone(reading()), doubts.ISSUE_WARNINGS["NARROW_BAND"]),
    "music far under speech": (lambda: over(audio.chords, 15), doubts.BACKGROUND_WARNING),
    "music under speech": (lambda: over(audio.music, 5), doubts.ISSUE_WARNINGS["LOW_SNR"]),
    "noise at 10 dB": (lambda: audio.add_noise(reading(), 10), doubts.ISSUE_WARNINGS["LOW_SNR"]),
}
ENGLISH: dict[str, Callable[[], Samples]] = {
    "another language": lambda: odd_voices.foreign(reading()),
    "backwards": lambda: audio.cut(audio.speech_44s(), 10, 27)[::-1].copy(),
}
BIRTH_SEXES = ("MALE", "FEMALE", "UNKNOWN")


@functools.cache
def voice(name: str) -> Samples:
    """The sound of one of VOICES, made once: several tests ask for it."""
    return VOICES[name][0]()


def wav(samples: Samples) -> bytes:
    return audio.wav((np.clip(samples, -1, 1) * 32_767).round().astype("int16"))


def analyse(
    folder: Path, sound: Samples | bytes, person: Person, limits: Limits = pipeline.CONTRACT_LIMITS
) -> Analysis:
    path = folder / "recording"
    path.write_bytes(sound if isinstance(sound, bytes) else wav(sound))
    return pipeline.analyse(path, person, limits)


def by_voice(birth_sex: str = "MALE") -> Person:
    """Without a transcriber the voice alone is scored, much faster."""
    return Person(birth_sex=birth_sex, language="de-DE")


def assert_answered(analysis: Analysis) -> None:
    """A refusal with its code and reason, or eleven values within their intervals."""
    if not analysis.ok:
        assert analysis.error_code in set(ErrorCode) - {ErrorCode.INTERNAL}
        assert analysis.error_reason
        assert analysis.scores is None
        return
    assert analysis.scores is not None
    assert analysis.confidence is not None
    assert len(analysis.scores) == 11
    assert all(math.isfinite(value) and 0 <= value <= 1 for value in analysis.scores.values())
    for name, value in continuous(analysis.scores).items():
        trust = analysis.confidence[name]
        assert trust is not None
        assert 0 <= trust["low"] <= value <= trust["high"] <= 1
        assert trust["level"] in ("LOW", "MEDIUM", "HIGH")


def assert_doubted(analysis: Analysis, warning: str) -> None:
    assert_answered(analysis)
    assert analysis.ok, analysis.error_reason
    assert warning in analysis.warnings
    assert analysis.confidence is not None
    assert {trust and trust["level"] for trust in analysis.confidence.values()} == {"LOW"}


# --- Odd voices and rooms ---
@pytest.mark.parametrize("name", VOICES)
def test_an_odd_recording_has_low_confidence_and_a_warning(tmp_path: Path, name: str) -> None:
    assert_doubted(analyse(tmp_path, voice(name), by_voice()), VOICES[name][1])


@pytest.mark.parametrize("birth_sex", ["FEMALE", "UNKNOWN"])
@pytest.mark.parametrize("name", ["whisper", "shouting", "singing", "child", "text to speech"])
def test_an_odd_voice_is_noticed_whatever_the_birth_sex(tmp_path: Path, name: str, birth_sex: str) -> None:
    assert_doubted(analyse(tmp_path, voice(name), by_voice(birth_sex)), VOICES[name][1])


def test_8_khz_is_named_as_a_narrow_band(tmp_path: Path) -> None:
    found = analyse(tmp_path, audio.encode(reading(), rate=8_000), by_voice())
    assert_doubted(found, doubts.ISSUE_WARNINGS["NARROW_BAND"])


def test_hummed_vowels_of_a_machine_are_refused_or_doubted(tmp_path: Path) -> None:
    vowels = [(730, 1_090, 2_440), (270, 2_290, 3_010), (300, 870, 2_240), (530, 1_840, 2_480)]
    sound = np.concatenate([voices.with_formants(voices.voice(0.35, 120), vowels[n % 4]) for n in range(60)])
    found = analyse(tmp_path, sound, by_voice())
    assert_answered(found)
    assert not found.ok or doubts.TALK_WARNING in found.warnings


def test_9_9_seconds_of_speech_are_too_short(tmp_path: Path) -> None:
    spans = find_speech(audio.speech_44s()).spans
    total = np.cumsum([finish - start for start, finish in spans])
    last = int(np.searchsorted(total, 9.8))
    samples = audio.cut(audio.speech_44s(), 0, spans[last][1] - (total[last] - 9.8))
    found = analyse(tmp_path, samples, MAN)
    assert found.error_code == ErrorCode.TOO_SHORT
    assert found.speech_seconds is not None
    assert 9.6 <= found.speech_seconds < 9.95
    assert found.error_reason == f"{found.speech_seconds:.1f} s of speech were found; at least 10 s are needed."


@pytest.mark.parametrize("years", [17, 18])
def test_a_birth_date_tells_a_child(tmp_path: Path, years: int) -> None:
    born = datetime.now(UTC).date() - timedelta(days=round(years * 365.25) + 30)
    found = analyse(tmp_path, audio.cut(reading(), 0, 6), replace(by_voice(), date_of_birth=born), SHORT)
    assert (doubts.MINOR_WARNING in found.warnings) == (years < 18)


# --- Odd words ---
@pytest.mark.parametrize("name", ENGLISH)
def test_what_is_not_english_is_noticed_by_its_transcript(tmp_path: Path, name: str) -> None:
    found = analyse(tmp_path, ENGLISH[name](), MAN)
    assert found.transcript
    assert_doubted(found, doubts.STRANGE_WORDS_WARNING)


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Analysis]:
    """The reading as if the recogniser had understood a text."""

    def run(text: str) -> Analysis:
        monkeypatch.setattr(transcribe, "transcribe", lambda samples, speech, language: Transcript(text))
        return analyse(tmp_path, audio.cut(reading(), 0, 8), MAN, SHORT)

    return run


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("", doubts.NO_WORDS_WARNING),
        (" \n\t", doubts.NO_WORDS_WARNING),
        ("Well.", doubts.STRANGE_WORDS_WARNING),
        ("I am so tired of everything. " * 1_667, doubts.STRANGE_WORDS_WARNING),
        ("the market was open and we bought bread " * 1_250, doubts.STRANGE_WORDS_WARNING),
        ("\u043f\u0440\u0438\u0432\u0435\u0442 \u4f60\u597d " * 15, doubts.STRANGE_WORDS_WARNING),
    ],
)
def test_an_odd_transcript_has_low_confidence_and_a_warning(
    heard: Callable[[str], Analysis], text: str, warning: str
) -> None:
    assert_doubted(heard(text), warning)


def test_homoglyphs_are_read_as_the_letters_they_look_like(heard: Callable[[str], Analysis]) -> None:
    plain = heard("I feel worthless and I hate myself. We went to the market on Sunday.")
    dressed = heard(
        "I f\u0435\u0435l w\u043erthl\u0435ss \u0430nd I h\u0430t\u0435 mys\u0435lf. We went to the market on Sunday."
    )
    assert plain.scores == dressed.scores
    assert plain.scores is not None
    assert continuous(plain.scores)["lowSelfEsteem"] > 0.5
    assert plain.warnings == dressed.warnings == ()


def test_strange_words_are_strange_and_everyday_ones_are_not() -> None:
    everyday = (
        "Well, you know, I went to the shop and, um, I bought some bread and some milk. Then I, I met Priya, you know, "
        "and we talked about the weather and about her brother Tomasz, who lives in Aberystwyth."
    )
    assert not reads_strangely(everyday)
    assert not reads_strangely("No. No. No. No. No.")  # too few words to judge by
    assert reads_strangely("It is the same as the same as the same as the same as the same as the same as that.")
    assert reads_strangely(
        "As Indinus petutin did, I entered him tishti. Zihamus karu, ketrag and jets. "
        "Vasanth and dasker of the upgam, the shvat of papilla baffin."
    )


# --- Ordinary recordings ---
def test_an_ordinary_reading_raises_no_doubt(tmp_path: Path) -> None:
    assert analyse(tmp_path, audio.speech_44s(), MAN).warnings == (doubts.SELF_ESTEEM_WARNING,)


ORDINARY: dict[str, Callable[[Samples], Samples | bytes]] = {
    **{container: functools.partial(audio.encode, container=container) for container in audio.CONTAINERS},
    "-20 dB": lambda samples: audio.gain(samples, -20),
    "small room": lambda samples: disturb(samples, "room", np.random.default_rng(1)),
    "noise at 25 dB": lambda samples: audio.add_noise(samples, 25),
    "a hum": lambda samples: audio.add_noise(samples, 25, "hum"),
}


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.parametrize("source", ["two_cities", "beckett"])
def test_ordinary_recordings_raise_no_doubt(tmp_path: Path, source: str, name: str) -> None:
    samples = reading() if source == "two_cities" else audio.speech_10s()
    found = analyse(tmp_path, ORDINARY[name](samples), by_voice(), SHORT)
    assert found.warnings == (NO_TRANSCRIBER, doubts.SELF_ESTEEM_WARNING)


def test_a_telephone_is_called_nothing_worse(tmp_path: Path) -> None:
    found = analyse(tmp_path, audio.telephone(reading()), by_voice())
    assert found.warnings == (doubts.ISSUE_WARNINGS["NARROW_BAND"], NO_TRANSCRIBER, doubts.SELF_ESTEEM_WARNING)


def test_what_is_measured_of_loops_and_backgrounds_keeps_its_distance_from_the_limits() -> None:
    samples = audio.speech_44s()
    looped = audio.add_noise(audio.repeat_to(audio.cut(samples, 0, 5), 20), 20)
    assert doubts.repetition(samples, find_speech(samples)) < 0.6
    assert doubts.repetition(looped, find_speech(looped)) > 0.93
    tuned = over(audio.chords, 15)
    assert doubts.tuned_share_of_pauses(samples, find_speech(samples)) < 0.2
    assert doubts.tuned_share_of_pauses(tuned, find_speech(tuned)) > 0.55


def test_every_warning_is_a_sentence() -> None:
    named = [value for name, value in vars(doubts).items() if name.endswith("_WARNING")]
    for text in [QUALITY_WARNING, *named, *doubts.ISSUE_WARNINGS.values()]:
        assert text[0].isupper()
        assert text.endswith(".")


# --- Whatever comes ---
ODDITIES: tuple[Callable[[Samples], Samples], ...] = (
    odd_voices.whispered,
    odd_voices.shouted,
    odd_voices.sung,
    odd_voices.childlike,
    odd_voices.synthetic,
    odd_voices.foreign,
    audio.telephone,
    lambda samples: samples[::-1].copy(),
    lambda samples: audio.clip(samples, 40),
    lambda samples: audio.add_noise(samples, 3, "white"),
    lambda samples: audio.mix(samples, audio.music(len(samples) / audio.RATE)),
    lambda samples: np.zeros_like(samples),
    lambda samples: audio.gain(samples, -80),
    lambda samples: np.repeat(samples[:: audio.RATE // 50], audio.RATE // 50)[: len(samples)],
    lambda samples: samples[: audio.RATE // 100],
    lambda samples: (samples + 0.4).astype(np.float32),
)
cuts = st.tuples(st.floats(0, 38), st.floats(1, 5))


def cut(place: tuple[float, float]) -> Samples:
    return audio.cut(audio.speech_44s(), place[0], sum(place))


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    place=cuts,
    oddities=st.lists(st.sampled_from(range(len(ODDITIES))), max_size=3),
    birth_sex=st.sampled_from(BIRTH_SEXES),
)
def test_any_mixture_is_answered(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[float, float], oddities: list[int], birth_sex: str
) -> None:
    sound = cut(place)
    for number in oddities:
        if len(sound) > 1_000:  # what the vocoder needs
            sound = ODDITIES[number](sound)
    limits = replace(SHORT, min_speech_seconds=0.6)
    assert_answered(analyse(tmp_path_factory.getbasetemp(), sound, by_voice(birth_sex), limits))


@settings(max_examples=5, deadline=None, derandomize=True, database=None)
@given(start=st.floats(0, 36), decibels=st.floats(-12, 0), seconds=st.floats(0, 4))
def test_level_and_silence_at_the_end_change_neither_score_nor_warning(
    tmp_path_factory: pytest.TempPathFactory, start: float, decibels: float, seconds: float
) -> None:
    folder, sound = tmp_path_factory.getbasetemp(), cut((start, 7))
    changed = audio.join(audio.gain(sound, decibels), audio.silence(seconds))
    before, after = analyse(folder, sound, by_voice(), SHORT), analyse(folder, changed, by_voice(), SHORT)
    assert before.scores is not None
    assert after.scores is not None
    first, second = continuous(before.scores), continuous(after.scores)
    assert max(abs(first[name] - second[name]) for name in SCORES) <= 0.03
    assert before.warnings == after.warnings


conditions = st.tuples(st.floats(1, 60), st.floats(-5, 60), st.floats(3_000, 8_000), st.booleans(), st.floats(0.3, 4))


@given(found=conditions, worse=conditions, value=st.floats(-4, 4), head=st.sampled_from(sorted(shipped().voice.heads)))
def test_nothing_that_disturbs_a_recording_narrows_an_interval(
    found: tuple[float, float, float, bool, float],
    worse: tuple[float, float, float, bool, float],
    value: float,
    head: str,
) -> None:
    """In logits; as a share of the peers the same interval is narrower near 0 and 1."""
    better = confidence.conditions(*found)
    added = np.maximum(better, confidence.conditions(*worse))
    low, high = confidence.stray(shipped().voice, head, value, better)
    wider_low, wider_high = confidence.stray(shipped().voice, head, value, added)
    assert wider_high - wider_low >= high - low > 0


# --- The command ---
def test_a_folder_of_odd_recordings_is_scored_line_by_line(tmp_path: Path) -> None:
    for name in VOICES:
        (tmp_path / f"{name}.wav").write_bytes(wav(voice(name)[: 15 * audio.RATE]))
    (tmp_path / "nothing.wav").write_bytes(b"")
    (tmp_path / "silence.flac").write_bytes(audio.encode(audio.silence(12), "flac"))
    out = StringIO()
    call_command("score_recordings", str(tmp_path), "--jsonl", "--language", "de-DE", stdout=out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(answers) == len(VOICES) + 2
    assert {answer["status"] for answer in answers} == {"COMPLETE_OK", "COMPLETE_ERROR"}
    assert all(answer["warnings"] for answer in answers if answer["status"] == "COMPLETE_OK")
    assert all(answer["errorCode"] for answer in answers if answer["status"] == "COMPLETE_ERROR")

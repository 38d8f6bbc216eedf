"""The whole model on real recordings: what it answers, what it refuses and in which order, what moves it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.model_runs.wellness import doubts, pipeline
from apps.model_runs.wellness.features.registry import FEATURES
from apps.model_runs.wellness.fusion import fuse
from apps.model_runs.wellness.heads import read_voice
from apps.model_runs.wellness.interface import (
    DIMENSIONS,
    QUALITY_WARNING,
    Analysis,
    ErrorCode,
    Limits,
    Person,
    Quality,
    Recording,
    Samples,
    Speech,
    Transcript,
)
from apps.model_runs.wellness.model import shipped
from apps.model_runs.wellness.scores import SCORES, bucket, continuous, uniform_name
from apps.model_runs.wellness.words.reading import read_words
from tests import audio

MAN = Person(birth_sex="MALE", language="en-GB")
# Without a transcriber the voice alone is scored, which is all that most of these tests look at, and much faster.
VOICE_ONLY = replace(MAN, language="de-DE")

Analyse = Callable[..., Analysis]


@pytest.fixture
def analyse(tmp_path: Path) -> Analyse:
    def run(samples: Samples, person: Person = VOICE_ONLY, limits: Limits = pipeline.CONTRACT_LIMITS) -> Analysis:
        path = tmp_path / "recording"
        path.write_bytes(audio.wav((samples * 32_767).round().astype("int16")))
        return pipeline.analyse(path, person, limits)

    return run


@pytest.fixture(scope="module")
def reading() -> Samples:
    return audio.cut(audio.speech_44s(), 0, 16)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Analysis, list[str]]:
    """The long recording in English, with the stages that were announced."""
    path = tmp_path_factory.mktemp("whole") / "reading.flac"
    path.write_bytes(audio.encode(audio.cut(audio.speech_44s(), 0, 20), "flac"))
    stages: list[str] = []
    return pipeline.analyse(path, MAN, progress=stages.append), stages


def values(analysis: Analysis) -> dict[str, float]:
    assert analysis.scores is not None, analysis.error_reason
    return continuous(analysis.scores)


def furthest(first: Analysis, second: Analysis) -> float:
    return max(abs(values(first)[name] - values(second)[name]) for name in SCORES)


# --- A good recording ---
def test_a_good_recording_is_scored(whole: tuple[Analysis, list[str]]) -> None:
    analysis, _ = whole
    assert analysis.ok
    assert (analysis.error_code, analysis.error_reason) == (None, None)
    assert analysis.duration_seconds == pytest.approx(20.0, abs=0.05)
    assert analysis.speech_seconds is not None
    assert 10 < analysis.speech_seconds < 20
    assert "it was the best of times" in analysis.transcript.lower()
    assert analysis.scores is not None
    for name in DIMENSIONS:
        assert analysis.scores[name] == bucket(analysis.scores[uniform_name(name)], (0.25, 0.5, 0.75))
    assert analysis.quality is not None
    assert analysis.quality.level in {"GOOD", "FAIR"}
    assert QUALITY_WARNING not in analysis.warnings
    assert analysis.model_version == shipped().version


def test_every_score_has_confidence_and_evidence_and_a_reason(whole: tuple[Analysis, list[str]]) -> None:
    analysis, _ = whole
    assert analysis.confidence is not None
    assert analysis.evidence is not None
    assert analysis.explanation is not None
    assert list(analysis.confidence) == list(analysis.evidence) == list(SCORES)
    for name, value in values(analysis).items():
        trust = analysis.confidence[name]
        assert trust is not None
        assert trust["low"] <= value <= trust["high"]
    # The reading says nothing of self-esteem, and no voice measurement speaks of it.
    assert {reason["score"] for reason in analysis.explanation} == set(DIMENSIONS) - {"lowSelfEsteem"}
    assert {reason["kind"] for reason in analysis.explanation} == {"VOICE"}


def test_an_analysis_can_be_stored_as_json(whole: tuple[Analysis, list[str]]) -> None:
    stored = asdict(whole[0])
    assert json.loads(json.dumps(stored)).keys() == stored.keys()


def test_the_outline_of_the_recording_is_there_to_draw(whole: tuple[Analysis, list[str]]) -> None:
    analysis = whole[0]
    assert analysis.outline is not None
    assert analysis.outline["seconds"] == pytest.approx(analysis.duration_seconds, abs=0.01)
    assert len(analysis.outline["envelope"]) == len(analysis.outline["pitch"]) == 600
    assert sum(hertz is not None for hertz in analysis.outline["pitch"]) > 200
    assert sum(end - start for start, end in analysis.outline["speech"]) == pytest.approx(analysis.speech_seconds)


def test_what_the_reading_cannot_tell_is_said(whole: tuple[Analysis, list[str]]) -> None:
    analysis, _ = whole
    assert analysis.warnings == (doubts.SELF_ESTEEM_WARNING,)
    assert values(analysis)["lowSelfEsteem"] == 0.5
    assert analysis.confidence is not None
    assert analysis.confidence["lowSelfEsteem"] == {"level": "LOW", "low": 0.1, "high": 0.9}


def test_neutral_words_move_no_score(whole: tuple[Analysis, list[str]], tmp_path: Path) -> None:
    """The same recording declared as a language that has no transcriber is scored by the voice alone."""
    spoken, _ = whole
    path = tmp_path / "reading.flac"
    path.write_bytes(audio.encode(audio.cut(audio.speech_44s(), 0, 20), "flac"))
    silent = pipeline.analyse(path, VOICE_ONLY)
    assert spoken.transcript
    assert silent.transcript == ""
    assert furthest(spoken, silent) <= 0.02


def test_stages_are_announced_and_timed(whole: tuple[Analysis, list[str]]) -> None:
    analysis, stages = whole
    assert stages == list(pipeline.STAGES)
    assert list(analysis.elapsed_seconds) == list(pipeline.STAGES)
    assert all(seconds >= 0 for seconds in analysis.elapsed_seconds.values())


# --- Refusals, in the contract's order: format, length, any speech, enough speech ---
def test_what_is_no_recording_is_refused_first(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("Dear diary")
    analysis = pipeline.analyse(path, MAN)
    assert analysis.error_code == ErrorCode.INVALID_FORMAT
    assert analysis.error_reason
    assert analysis.scores is None
    assert (analysis.duration_seconds, analysis.speech_seconds) == (None, None)
    assert list(analysis.elapsed_seconds) == ["decode"]


def test_too_long_is_said_before_no_speech(analyse: Analyse) -> None:
    analysis = analyse(audio.silence(7), limits=Limits(max_recording_seconds=6))
    assert analysis.error_code == ErrorCode.TOO_LONG
    assert analysis.speech_seconds is None
    assert "6 s" in str(analysis.error_reason)


def test_silence_has_no_speech(analyse: Analyse) -> None:
    analysis = analyse(audio.silence(12))
    assert analysis.error_code == ErrorCode.TRANSCRIPTION_FAILED
    assert analysis.error_reason == "No speech was found; at least 10 s are needed."
    assert analysis.duration_seconds == pytest.approx(12.0)
    assert analysis.speech_seconds == 0
    assert list(analysis.elapsed_seconds) == ["decode", "speech"]


def test_too_little_speech_names_what_was_found_and_needed(analyse: Analyse) -> None:
    analysis = analyse(audio.join(audio.cut(audio.speech_44s(), 0, 6), audio.silence(20)))
    assert analysis.error_code == ErrorCode.TOO_SHORT
    assert analysis.speech_seconds is not None
    assert 3 < analysis.speech_seconds <= 6
    assert analysis.error_reason == f"{analysis.speech_seconds:.1f} s of speech were found; at least 10 s are needed."
    assert analysis.duration_seconds == pytest.approx(26.0)
    assert analysis.scores is None
    assert analysis.outline is not None, "so that a reader sees where speech was heard"
    assert sum(end - start for start, end in analysis.outline["speech"]) == pytest.approx(analysis.speech_seconds)
    assert analysis.outline["pitch"] is None
    assert analysis.explanation is None


def test_enough_is_judged_in_tenths_of_a_second(analyse: Analyse) -> None:
    part = audio.cut(audio.speech_44s(), 0, 6)
    found = analyse(part).speech_seconds
    assert found is not None
    exact = round(found, 1)
    assert analyse(part, limits=Limits(min_speech_seconds=exact)).ok
    assert analyse(part, limits=Limits(min_speech_seconds=exact + 0.1)).error_code == ErrorCode.TOO_SHORT


def test_a_missing_file_is_not_the_recordings_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pipeline.analyse(tmp_path / "nowhere.wav", MAN)


# --- What moves the scores and what must not ---
def test_the_same_recording_gives_the_same_answer(analyse: Analyse, reading: Samples) -> None:
    first, again = analyse(reading), analyse(reading)
    assert replace(first, elapsed_seconds={}) == replace(again, elapsed_seconds={})


def test_another_recording_gives_other_scores(analyse: Analyse, reading: Samples) -> None:
    first, other = values(analyse(reading)), values(analyse(audio.cut(audio.speech_44s(), 22, 38)))
    assert all(first[name] != other[name] for name in SCORES if name != "lowSelfEsteem")


@pytest.mark.parametrize("seed", [1, 2])
def test_the_lowest_bit_moves_no_score_by_more_than_two_hundredths(
    analyse: Analyse, reading: Samples, seed: int
) -> None:
    for samples in (reading, audio.speech_10s()):
        bounds = Limits(min_speech_seconds=5)
        before = analyse(samples, limits=bounds)
        assert furthest(before, analyse(audio.flip_lowest_bit(samples, seed), limits=bounds)) <= 0.02


def test_level_and_silence_at_the_end_move_no_score(analyse: Analyse, reading: Samples) -> None:
    before = analyse(reading)
    assert furthest(before, analyse(audio.gain(reading, -20))) <= 0.02
    assert furthest(before, analyse(audio.join(reading, audio.silence(1)))) <= 0.01


def test_noise_does_not_read_as_stress(analyse: Analyse, reading: Samples) -> None:
    before, after = analyse(reading), analyse(audio.add_noise(reading, 10))
    assert values(after)["stress"] - values(before)["stress"] <= 0.10


@pytest.mark.parametrize("container", audio.CONTAINERS)
def test_formats_agree(tmp_path: Path, reading: Samples, analyse: Analyse, container: str) -> None:
    path = tmp_path / "coded"
    path.write_bytes(audio.encode(reading, container))
    assert furthest(analyse(reading), pipeline.analyse(path, VOICE_ONLY)) <= 0.08


def test_the_peers_are_those_of_the_birth_sex(analyse: Analyse, reading: Samples) -> None:
    by_sex = {sex: values(analyse(reading, replace(VOICE_ONLY, birth_sex=sex))) for sex in
              ("MALE", "FEMALE", "INTERSEX", "UNKNOWN")}  # fmt: skip
    assert by_sex["INTERSEX"] == by_sex["UNKNOWN"]
    assert by_sex["MALE"] != by_sex["FEMALE"]
    # A man's pitch is low among women, and low pitch is not tension.
    assert by_sex["FEMALE"]["stress"] < by_sex["MALE"]["stress"]


# --- Warnings ---
def test_a_language_without_a_transcriber_is_scored_by_the_voice_alone(analyse: Analyse, reading: Samples) -> None:
    analysis = analyse(reading, replace(MAN, language="fr-FR"))
    assert analysis.ok
    assert analysis.transcript == ""
    assert "There is no transcriber for fr-FR; the scores rest on the voice alone." in analysis.warnings
    assert doubts.NO_WORDS_WARNING not in analysis.warnings


def warned(transcript: str, **about: Any) -> tuple[str, ...]:
    """The warnings of a good recording of a voice in the middle of its peers."""
    voice = shipped().voice
    middle = {feature.name: np.nan for feature in FEATURES}  # what no head weighs is left out
    middle |= dict(zip(voice.features, voice.groups["MALE"].centre.tolist(), strict=True))
    reading = replace(read_voice(voice, middle, "MALE"), **about)
    fused = fuse(voice, reading, read_words(shipped().words, transcript), 1.0)
    # A second of sound for every two words.
    recording = Recording(audio.silence(max(len(transcript.split()) / 2, 1)), "wav", "pcm_s16le", 16_000, 1)
    speech = Speech(((0.0, recording.duration_seconds),), recording.duration_seconds, np.zeros(0, np.bool_))
    quality, words = Quality("GOOD", 30.0, 0.0, 8_000.0, ()), Transcript(transcript)
    found = doubts.doubts(recording, speech, quality, words, MAN, middle, reading)
    return doubts.warnings_of(found, quality, words, MAN, fused)


@pytest.mark.parametrize("text", ["", " \n"])
def test_english_without_a_recognised_word_is_scored_with_a_warning(text: str) -> None:
    assert warned(text) == (doubts.NO_WORDS_WARNING, doubts.SELF_ESTEEM_WARNING)


def test_self_esteem_has_a_warning_until_something_is_said_of_it() -> None:
    assert warned("We went to the market.") == (doubts.SELF_ESTEEM_WARNING,)
    assert warned("I feel worthless.") == ()


def test_little_voice_and_an_unusual_pitch_are_said() -> None:
    nothing = np.full(len(shipped().voice.features), np.nan)
    assert warned("I feel worthless.", values=nothing) == (doubts.LITTLE_VOICE_WARNING,)
    assert warned("I feel worthless.", pitch_is_unusual=True) == (doubts.PITCH_WARNING,)


def test_a_poor_recording_carries_the_documented_warning(analyse: Analyse, reading: Samples) -> None:
    analysis = analyse(audio.clip(audio.add_noise(reading, 3, "white"), 20))
    assert analysis.ok
    assert analysis.quality is not None
    assert analysis.quality.level == "POOR"
    assert analysis.warnings[0] == QUALITY_WARNING

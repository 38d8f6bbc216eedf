"""The whole of the model: a file and a person in, an `Analysis` out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.model_runs.wellness import doubts, features, heads, quality, safety, scores, speech, transcribe
from apps.model_runs.wellness.confidence import conditions_of, confidence, evidence
from apps.model_runs.wellness.decode import decode
from apps.model_runs.wellness.explain import explain
from apps.model_runs.wellness.fusion import fuse, transcript_confidence
from apps.model_runs.wellness.interface import (
    Analysis,
    ErrorCode,
    Limits,
    Person,
    RecordingRefused,
    Speech,
)
from apps.model_runs.wellness.model import WellnessModel, shipped
from apps.model_runs.wellness.outline import outline
from apps.model_runs.wellness.words.embedding import load_encoder
from apps.model_runs.wellness.words.reading import read_words

STAGES = ("decode", "speech", "quality", "features", "transcribe", "words", "scores")

CONTRACT_LIMITS = Limits()
Progress = Callable[[str], None]


def load_models() -> None:
    """Reads all weights into memory. A worker calls it before it forks, so that its children share the pages."""
    shipped()
    load_encoder()
    transcribe.load()


def analyse(
    path: str | Path,
    person: Person,
    limits: Limits = CONTRACT_LIMITS,
    progress: Progress | None = None,
    model: WellnessModel | None = None,
) -> Analysis:
    """Scores one recording, or says by `error_code` and `error_reason` why it has none.

    The checks run in the contract's order: format, length, any speech, enough speech. A refused recording still
    carries its length, its seconds of speech and its outline as far as they were measured. `progress` is called with
    the name of each of `STAGES` as it begins. Without a `model` the shipped one judges. Every fault that is not the
    recording's is raised.

    The peers are those of the birth sex. The reference speakers are adults of 21 to 35, too few to be divided by age,
    so the birth date changes nothing yet.
    """
    run, model = _Run(progress), model or shipped()
    try:
        return _analyse(run, Path(path), person, limits, model)
    except RecordingRefused as refusal:
        return Analysis(
            error_code=refusal.code,
            error_reason=refusal.reason,
            duration_seconds=run.duration_seconds or refusal.duration_seconds,
            speech_seconds=run.speech_seconds,
            outline=run.outline,
            model_version=model.version,
            elapsed_seconds=run.elapsed,
        )


@dataclass(slots=True)
class _Run:
    """What is known so far of the recording under analysis."""

    progress: Progress | None
    duration_seconds: float | None = None
    speech_seconds: float | None = None
    outline: dict[str, Any] | None = None
    elapsed: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self.progress is not None:
            self.progress(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.elapsed[name] = round(time.perf_counter() - start, 4)


def _analyse(run: _Run, path: Path, person: Person, limits: Limits, model: WellnessModel) -> Analysis:
    with run.stage("decode"):
        recording = decode(path, limits)  # also refuses what is too long
    run.duration_seconds = recording.duration_seconds
    with run.stage("speech"):
        found = speech.find_speech(recording.samples, limits.speech_pause_seconds)
    run.speech_seconds = found.speech_seconds
    run.outline = outline(recording.samples, found)
    _check_speech(found, limits)
    with run.stage("quality"):
        tracked = features.track(recording.samples, found)
        measured_quality = quality.measure(recording, found, tracked)
        run.outline = outline(recording.samples, found, tracked)
    with run.stage("features"):
        measured = features.extract(recording.samples, found, tracked)
    del tracked  # 0.4 MB a second of speech, which the transcriber needs more
    with run.stage("transcribe"):
        transcript = transcribe.transcribe(recording.samples, found, person.language)
    with run.stage("words"):
        said = read_words(model.words, transcript.text)
        found_words = safety.safety(transcript)
    with run.stage("scores"):
        reading = heads.read_voice(model.voice, measured, person.birth_sex)
        fused = fuse(model.voice, reading, said, transcript_confidence(transcript, found, measured_quality))
        found_doubts = doubts.doubts(recording, found, measured_quality, transcript, person, measured, reading)
        values = scores.score({name: part.logit for name, part in fused.items()}, limits)
        trust = confidence(
            model.voice,
            fused,
            scores.continuous(values),
            conditions_of(recording, found, measured_quality, reading),
            bool(found_doubts),
            doubts.is_strange(found_doubts),
            limits.score_decimals,
        )
        reasons = explain(model.voice, reading, said, fused)
    return Analysis(
        duration_seconds=recording.duration_seconds,
        speech_seconds=found.speech_seconds,
        transcript=transcript.text,
        scores=values,
        quality=measured_quality,
        warnings=(
            *safety.warnings_of(found_words),
            *doubts.warnings_of(found_doubts, measured_quality, transcript, person, fused),
        ),
        confidence=trust,
        evidence=evidence(fused),
        explanation=reasons,
        safety=found_words,
        outline=run.outline,
        model_version=model.version,
        elapsed_seconds=run.elapsed,
    )


def _check_speech(found: Speech, limits: Limits) -> None:
    if not found.spans:
        raise RecordingRefused(
            ErrorCode.TRANSCRIPTION_FAILED,
            f"No speech was found; at least {limits.min_speech_seconds:g} s are needed.",
        )
    if round(found.speech_seconds, 1) < limits.min_speech_seconds:
        raise RecordingRefused(
            ErrorCode.TOO_SHORT,
            f"{found.speech_seconds:.1f} s of speech were found; at least {limits.min_speech_seconds:g} s are needed.",
        )

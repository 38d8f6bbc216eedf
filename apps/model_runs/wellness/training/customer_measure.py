"""From rows of labels to arrays: every recording is decoded and measured once, by a pool of processes."""

from __future__ import annotations

import functools
import json
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness import features, pipeline, quality, speech
from apps.model_runs.wellness.decode import DecoderFailed, decode
from apps.model_runs.wellness.features.registry import HEAD_FEATURES
from apps.model_runs.wellness.fusion import WORD_LIMITS
from apps.model_runs.wellness.heads import group_of
from apps.model_runs.wellness.interface import DIMENSIONS, Limits, Person, RecordingRefused
from apps.model_runs.wellness.model import WellnessModel, model_from_json, shipped
from apps.model_runs.wellness.scores import uniform_name
from apps.model_runs.wellness.training.customer_data import BadData, Row, Sheet
from apps.model_runs.wellness.words.heads import WordModel
from apps.model_runs.wellness.words.reading import read_words

Progress = Callable[[int, int], None]
Vector = NDArray[np.float64]
Strings = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Measured:
    """One recording. `words` is what its text adds to each score before the word weight (see `fusion`); None without
    a text. `scores` are the finished scores by dimension where a model was asked for them."""

    values: tuple[float, ...]  # in the order of HEAD_FEATURES, NaN where not measurable
    speech_seconds: float
    snr_db: float | None
    words: Mapping[str, float] | None = None
    scores: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Labelled:
    """Recordings with labels for one target; every array is (n, …) in the order of the file."""

    y: NDArray[np.int8]
    speaker: Strings
    sex: Strings  # MALE, FEMALE or POOLED (neither is known)
    born: Strings  # decade of birth, "1980-1989", or "unknown"
    values: Vector  # (n, features)
    speech_seconds: Vector
    snr_db: Vector  # NaN where there is none
    words: Vector  # 0 where no text is given
    spoken: NDArray[np.bool_]  # whether a text is given
    score: Vector  # finished scores, NaN where none were asked for

    def __len__(self) -> int:
        return len(self.y)

    def where(self, rows: NDArray[Any]) -> Labelled:
        return Labelled(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Task:
    """One recording to measure. `text` is read by the word heads; with `person`, the model of the pool scores it."""

    path: Path
    limits: Limits
    text: str = ""
    person: Person | None = None


def measure_sheet(
    sheet: Sheet, tasks: Mapping[Path, Task], jobs: int, progress: Progress, model: Path | None = None
) -> dict[str, Labelled]:
    """By target, the labelled recordings. `tasks` has one for each path of the rows.

    `model` is the file of the model that reads words and scores, None for the shipped one. Raises BadData
    with every fault of the sheet and of its recordings, or when a process is ended from outside.
    """
    found: dict[Path, Measured] = {}
    problems = list(sheet.problems)
    first_lines = {row.path: row.line for row in reversed(sheet.rows)}
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(jobs, context) as pool:
            answers = pool.map(functools.partial(measure, model), tasks.values())
            for done, (path, answer) in enumerate(zip(tasks, answers, strict=True), 1):
                if isinstance(answer, Measured):
                    found[path] = answer
                else:
                    problems.append((first_lines[path], f"{path.name}: {answer}"))
                progress(done, len(tasks))
    except BrokenProcessPool as error:
        raise BadData([(0, "A process that measures was ended from outside; try with fewer --jobs.")]) from error
    if problems:
        raise BadData(problems)
    return {
        target: labelled(target, [(row, found[row.path]) for row in sheet.rows if row.target == target])
        for target in DIMENSIONS
        if any(row.target == target for row in sheet.rows)
    }


def labelled(target: str, rows: Sequence[tuple[Row, Measured]]) -> Labelled:
    """The rows of one target and their measurements as arrays."""
    measured = [item for _, item in rows]
    return Labelled(
        y=np.array([row.positive for row, _ in rows], np.int8),
        speaker=np.array([row.speaker for row, _ in rows]),
        sex=np.array([group_of(row.sex) for row, _ in rows]),
        born=np.array([_decade(row) for row, _ in rows]),
        values=np.array([item.values for item in measured]),
        speech_seconds=np.array([item.speech_seconds for item in measured]),
        snr_db=np.array([np.nan if item.snr_db is None else item.snr_db for item in measured]),
        words=np.array([0.0 if item.words is None else item.words[target] for item in measured]),
        spoken=np.array([item.words is not None for item in measured]),
        score=np.array([np.nan if item.scores is None else item.scores[target] for item in measured]),
    )


def measure(model: Path | None, task: Task) -> Measured | str:
    """One recording by the stages of the product, or why it cannot be used and what to do."""
    try:
        recording = decode(task.path, task.limits)
        found = speech.find_speech(recording.samples, task.limits.speech_pause_seconds)
        if not found.spans or round(found.speech_seconds, 1) < task.limits.min_speech_seconds:
            return (
                f"{found.speech_seconds:.1f} s of speech were found; at least {task.limits.min_speech_seconds:g} s are"
                " needed. Leave the line out."
            )
        values = features.extract(recording.samples, found)
        measured = Measured(
            values=tuple(values[name] for name in HEAD_FEATURES),
            speech_seconds=found.speech_seconds,
            snr_db=quality.measure(recording, found).snr_db,
            words=words_of(load_model(model).words, task.text) if task.text else None,
            scores=_scores(model, task),
        )
    except RecordingRefused as refusal:
        return f"{refusal.reason} Leave the line out."
    except (OSError, DecoderFailed) as error:
        return f"the file cannot be read ({error})."
    return measured


def words_of(model: WordModel, text: str) -> dict[str, float]:
    """What a text adds to each score before the word weight, a perfect transcript taken for granted."""
    said = read_words(model, text).said
    return {name: said[name].gate * float(np.clip(said[name].logit, *WORD_LIMITS)) for name in DIMENSIONS}


@functools.cache
def load_model(path: Path | None) -> WellnessModel:
    """The model of a file, or the shipped one; errors as `model_from_json`, OSError where there is no file."""
    return shipped() if path is None else model_from_json(json.loads(path.read_text(encoding="utf-8")))


def _scores(model: Path | None, task: Task) -> dict[str, float] | None:
    if task.person is None:
        return None
    analysis = pipeline.analyse(task.path, task.person, task.limits, model=load_model(model))
    assert analysis.scores is not None  # what is refused was refused before
    return {name: analysis.scores[uniform_name(name)] for name in DIMENSIONS}


def _decade(row: Row) -> str:
    if row.birth_date is None:
        return "unknown"
    first = row.birth_date.year // 10 * 10
    return f"{first}-{first + 9}"

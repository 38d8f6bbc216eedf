"""A customer's recordings, measured one by one: what comes out, and what is said of those that cannot be used."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from apps.model_runs.wellness.features.registry import HEAD_FEATURES
from apps.model_runs.wellness.heads import FEMALE, POOLED
from apps.model_runs.wellness.interface import DIMENSIONS, Limits, Person
from apps.model_runs.wellness.model import model_to_json, shipped
from apps.model_runs.wellness.training.customer_data import BadData, Row, Sheet
from apps.model_runs.wellness.training.customer_measure import (
    Measured,
    Task,
    labelled,
    load_model,
    measure,
    measure_sheet,
    words_of,
)
from tests import audio

LIMITS = Limits(min_speech_seconds=2)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(audio.encode(audio.cut(audio.speech_44s(), 0, 4)))
    return path


def row(path: Path, line: int = 2, target: str = "stress", sex: str = "FEMALE", born: date | None = None) -> Row:
    return Row(line, path, f"P{line}", target, line % 2 == 0, sex, born, "")


def test_a_recording_is_measured_by_the_stages_of_the_product(clip: Path) -> None:
    found = measure(None, Task(clip, LIMITS))
    assert isinstance(found, Measured)
    assert len(found.values) == len(HEAD_FEATURES)
    assert np.isfinite(found.values).all()
    assert 2 < found.speech_seconds < 4.1
    assert found.snr_db is not None
    assert (found.words, found.scores) == (None, None)


def test_a_text_is_read_and_a_person_scored(clip: Path) -> None:
    found = measure(None, Task(clip, LIMITS, "I feel so stressed.", Person("MALE")))
    assert isinstance(found, Measured)
    assert found.words is not None
    assert found.words["stress"] > 0.5
    assert found.scores is not None
    assert set(found.scores) == set(DIMENSIONS)


def test_words_count_only_where_a_person_speaks_of_the_state() -> None:
    quiet = words_of(shipped().words, "The train to the coast leaves at nine.")
    assert quiet == dict.fromkeys(DIMENSIONS, 0.0)
    loud = words_of(shipped().words, "I am stressed out. I am so stressed. The stress is killing me. " * 5)
    assert 0 < loud["stress"] <= 3


def test_a_recording_that_cannot_be_used_says_why_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "short.wav").write_bytes(audio.encode(audio.cut(audio.speech_44s(), 0, 1.5)))
    (tmp_path / "long.wav").write_bytes(audio.encode(audio.speech(20)))
    (tmp_path / "empty.wav").write_bytes(b"")
    said = {
        name: measure(None, Task(tmp_path / f"{name}.wav", Limits(min_speech_seconds=2, max_recording_seconds=15)))
        for name in ("short", "long", "empty", "gone")
    }
    assert "s of speech were found; at least 2 s are needed. Leave the line out." in str(said["short"])
    assert "at most 15 s are accepted. Leave the line out." in str(said["long"])
    assert "empty (0 bytes). Leave the line out." in str(said["empty"])
    assert "cannot be read" in str(said["gone"])


def test_each_recording_is_measured_once_for_all_its_targets(clip: Path) -> None:
    done: list[tuple[int, int]] = []
    sheet = Sheet((row(clip, 2), row(clip, 3, "distress")), ())
    by_target = measure_sheet(sheet, {clip: Task(clip, LIMITS)}, 1, lambda *step: done.append(step))
    assert done == [(1, 1)]
    assert list(by_target) == ["distress", "stress"]
    assert (by_target["stress"].values == by_target["distress"].values).all()
    assert (by_target["stress"].y.tolist(), by_target["distress"].y.tolist()) == ([1], [0])


def test_faults_of_the_sheet_and_of_recordings_come_together(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    sheet = Sheet((row(bad, 5), row(bad, 7, "distress")), ((6, "no speaker."), (3, "no path.")))
    with pytest.raises(BadData) as caught:
        measure_sheet(sheet, {bad: Task(bad, LIMITS)}, 1, lambda done, total: None)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["line 3", "line 5", "line 6"]


def test_rows_become_arrays() -> None:
    measured = Measured((1.0,) * len(HEAD_FEATURES), 12.0, None)
    told = Measured(
        (2.0,) * len(HEAD_FEATURES), 14.0, 20.0, dict.fromkeys(DIMENSIONS, 0.7), dict.fromkeys(DIMENSIONS, 0.4)
    )
    found = labelled(
        "stress",
        [(row(Path("a"), 2, born=date(1989, 12, 31)), measured), (row(Path("b"), 3, sex="INTERSEX"), told)],
    )
    assert found.sex.tolist() == [FEMALE, POOLED]
    assert found.born.tolist() == ["1980-1989", "unknown"]
    assert found.values.shape == (2, len(HEAD_FEATURES))
    assert np.isnan(found.snr_db).tolist() == [True, False]
    assert (found.spoken.tolist(), found.words.tolist()) == ([False, True], [0.0, 0.7])
    assert np.isnan(found.score[0])
    assert found.score[1] == 0.4
    assert len(found.where(np.array([False, True]))) == 1


def test_a_model_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model_to_json(shipped()) | {"version": "v9"}))
    assert load_model(path).version == "v9"
    assert load_model(None) is shipped()

"""`manage.py reproduce_wellness_model` without the training data; training itself is tested beside the model."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.model_runs.management.commands.reproduce_wellness_model import LIMITS, Command
from apps.model_runs.wellness.training.reproduce import EVALUATION, EVALUATION_PATH, VOICE, WORDS
from tests.project.checkout import ROOT

SMALL = {VOICE: {"a": [0.5, 200.0]}, WORDS: {"a": {"b": -1.0}}, EVALUATION: {"version": "1", "auc": 0.9}}


def run(**options: Any) -> str:
    out = io.StringIO()
    call_command("reproduce_wellness_model", stdout=out, **options)
    return out.getvalue()


def written(folder: Path, **changes: Any) -> Path:
    folder.mkdir()
    for name, content in {**SMALL, **changes}.items():
        (folder / name).write_text(json.dumps(content))
    return folder


def test_without_the_data_it_says_in_one_line_what_to_do_and_writes_nothing(settings: Any, tmp_path: Path) -> None:
    settings.HELIOS_TRAINING_DATA = tmp_path / "data"
    with pytest.raises(CommandError, match="HELIOS_TRAINING_DATA must name the folder") as caught:
        run(output=tmp_path / "made")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_anything_to_compare_with_it_says_so_before_it_trains(settings: Any, tmp_path: Path) -> None:
    settings.HELIOS_TRAINING_DATA = tmp_path / "data"
    with pytest.raises(CommandError, match=r"other/voice\.json: No such file"):
        run(output=tmp_path / "made", compare=tmp_path / "other")


def test_no_process_is_no_number_of_them() -> None:
    with pytest.raises(CommandError, match="at least 1"):
        run(jobs=0)


def test_what_is_compared_is_what_is_written() -> None:
    assert list(LIMITS) == [VOICE, WORDS, EVALUATION]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {VOICE: {"a": [0.5009, 200.1]}},  # within a thousandth, relative above 1
        {EVALUATION: {"version": "1", "auc": 0.881}},
    ],
)
def test_small_differences_are_told_and_pass(tmp_path: Path, changes: dict[str, Any]) -> None:
    out = io.StringIO()
    Command(stdout=out).compare(SMALL, written(tmp_path / "made", **changes))
    assert [line.split(":")[0] for line in out.getvalue().splitlines()] == [VOICE, WORDS, EVALUATION]
    assert ("the largest difference is 0;" in out.getvalue().splitlines()[0]) == (VOICE not in changes)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (VOICE, {"a": [0.502, 200.0]}),
        (VOICE, {"a": [0.5]}),
        (WORDS, {"a": {"b": -1.0, "c": 0.0}}),
        (EVALUATION, {"version": "2", "auc": 0.9}),
        (EVALUATION, {"version": "1", "auc": 0.87}),
    ],
)
def test_greater_ones_fail_by_the_name_of_the_file(tmp_path: Path, name: str, content: Any) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match=rf"^Not reproduced: {name}\.$"):
        Command(stdout=out).compare(SMALL, written(tmp_path / "made", **{name: content}))
    assert len(out.getvalue().splitlines()) == 3


def test_the_card_alone_needs_no_data(settings: Any, tmp_path: Path) -> None:
    settings.HELIOS_TRAINING_DATA = tmp_path / "data"
    (tmp_path / EVALUATION).write_text(EVALUATION_PATH.read_text())
    assert f"Wrote the card to {tmp_path / 'model-card.md'}." in run(output=tmp_path, card_only=True)
    made = (tmp_path / "model-card.md").read_text()
    assert made == (ROOT / "docs" / "model-card.md").read_text()
    assert (tmp_path / "model-card" / "roc.svg").is_file()


def test_figures_that_are_no_figures_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / EVALUATION).write_text("{")
    with pytest.raises(CommandError, match="is no JSON"):
        run(output=tmp_path, card_only=True)
    with pytest.raises(CommandError, match="No such file"):
        run(output=tmp_path / "nowhere", card_only=True)

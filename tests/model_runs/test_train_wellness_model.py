"""`manage.py train_wellness_model` and `evaluate_wellness_model` on real files: fifty people made of two readings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from apps.model_runs.wellness import pipeline
from apps.model_runs.wellness.interface import Limits, Person
from apps.model_runs.wellness.model import model_from_json, shipped
from tests import audio

COLUMNS = ("path", "speaker", "target", "score", "sex", "birth_date", "text")
SPEAKERS = 52
SECONDS = 3.5


@pytest.fixture(autouse=True)
def _short_clips(settings: Any) -> None:
    """Ten seconds a person would make these tests slow; the features need one."""
    settings.HELIOS_MIN_SPEECH_SECONDS = 1.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of one reading, faster or slower for each person; positives sound through a brighter microphone."""
    root = tmp_path_factory.mktemp("customer")
    rng = np.random.default_rng(1)
    rows = []
    for number in range(SPEAKERS):
        positive, female = number % 2, number // 2 % 2
        factor = (1.4 if female else 0.95) * rng.uniform(0.93, 1.07)
        start = rng.uniform(0.5, 37 - SECONDS * factor)
        clip = audio.faster(audio.cut(audio.speech_44s(), start, start + SECONDS * factor), factor)
        spectrum = np.fft.rfft(clip)
        hertz = np.fft.rfftfreq(len(clip), 1 / audio.RATE)
        spectrum *= np.maximum(hertz / 1_000, 0.1) ** (rng.normal(0, 0.25) + 0.6 * positive)
        sound = np.fft.irfft(spectrum, len(clip))
        name = f"person {number:02}.wav"
        (root / name).write_bytes(audio.wav((sound / np.abs(sound).max() * 16_000).astype(np.int16)))
        rows.append(
            (
                name, f"P{number:02}", "stress", positive, "FEMALE" if female else "MALE",
                f"{1950 + number}-06-30", "I feel so stressed." if number % 3 else "",
            )
        )  # fmt: skip
    write(root / "data.csv", rows)
    return root


def write(path: Path, rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows([COLUMNS, *rows])


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return [tuple(row) for row in csv.reader(file, delimiter=";")][1:]


def run(command: str, *arguments: object, **options: Any) -> str:
    out = io.StringIO()
    call_command(command, *map(str, arguments), stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The written folder and what was printed."""
    from django.test import override_settings

    output = tmp_path_factory.mktemp("trained") / "model"
    with override_settings(HELIOS_MIN_SPEECH_SECONDS=1.0):
        return output, run(
            "train_wellness_model", folder / "data.csv", "--output", output, "--model-version", "clinic-1", "--jobs", 2
        )


def test_it_prints_every_figure_beside_its_baselines(trained: tuple[Path, str]) -> None:
    output, printed = trained
    for words in (
        "stress: 52 recordings of 52 speakers, 26 positive", "baseline: the sex alone",
        "baseline: the median pitch alone", "within sex: the score", "words alone", "Permutation p: 0.005",
        "Calibration:", "female", "1950-1959",
        f"Wrote model clinic-1 to {output}",
    ):  # fmt: skip
        assert words in printed
    assert json.loads((output / "evaluation.json").read_text())["targets"]["stress"]["auc"]["auc"] > 0.8


def test_the_written_model_scores_recordings(trained: tuple[Path, str], folder: Path) -> None:
    model = model_from_json(json.loads((trained[0] / "model.json").read_text()))
    limits = Limits(min_speech_seconds=1)
    positive, negative = (
        pipeline.analyse(folder / f"person {number:02}.wav", Person("MALE"), limits, model=model) for number in (5, 4)
    )
    assert positive.model_version == "clinic-1"
    assert positive.scores is not None
    assert negative.scores is not None
    assert positive.scores["uniformStress"] > negative.scores["uniformStress"]
    assert positive.evidence is not None
    assert positive.evidence["stress"] == "customer_trained"
    usual = pipeline.analyse(folder / "person 05.wav", Person("MALE"), limits)
    assert usual.scores is not None
    assert usual.scores["uniformDistress"] == positive.scores["uniformDistress"]


def test_the_same_file_gives_the_same_folder(trained: tuple[Path, str], folder: Path, tmp_path: Path) -> None:
    run(
        "train_wellness_model", folder / "data.csv", "--output", tmp_path / "m", "--model-version", "clinic-1",
        "--jobs", 1,
    )  # fmt: skip
    names = sorted(path.name for path in trained[0].iterdir())
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == names
    for name in names:
        assert (tmp_path / "m" / name).read_bytes() == (trained[0] / name).read_bytes(), name


def test_finished_scores_are_judged_on_labelled_recordings(
    trained: tuple[Path, str], folder: Path, tmp_path: Path
) -> None:
    few = folder / "few.csv"
    write(few, rows_of(folder / "data.csv")[:8])
    figures = tmp_path / "figures.json"
    printed = run(
        "evaluate_wellness_model", few, "--model-file", trained[0] / "model.json", "--output", figures, "--jobs", 1
    )
    assert "stress: 8 recordings of 8 speakers, 4 positive" in printed
    assert "baseline: the sex alone" in printed
    assert "Finished scores of model clinic-1;" in printed
    found = json.loads(figures.read_text())
    assert found["version"] == "clinic-1"
    assert found["targets"]["stress"]["auc"]["auc"] > 0.6
    assert found["targets"]["stress"]["voiceAuc"] is None


def test_all_bad_lines_are_named_at_once_and_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    (folder / "noise.txt").write_text("not a recording")
    (folder / "silence.wav").write_bytes(audio.encode(audio.silence(4)))
    rows = rows_of(folder / "data.csv")[:2]
    rows += [
        ("noise.txt", "X1", "stress", 1, "", "", ""),
        ("silence.wav", "X2", "stress", 0, "", "", ""),
        ("gone.wav", "X3", "stress", 0, "", "", ""),
        (rows[0][0], "P00", "sorrow", 0, "MALE", "", ""),
    ]
    write(folder / "bad.csv", rows)
    for command, options in (
        ("train_wellness_model", ["--output", tmp_path / "m", "--model-version", "v"]),
        ("evaluate_wellness_model", ["--output", tmp_path / "figures.json"]),
    ):
        with pytest.raises(CommandError) as caught:
            run(command, folder / "bad.csv", *options, "--jobs", 1)
        lines = str(caught.value).splitlines()
        assert [line.split(":")[0] for line in lines] == ["line 4", "line 5", "line 6", "line 7"]
        assert "The recording is none of FLAC" in lines[0]
        assert "0.0 s of speech were found; at least 1 s are needed" in lines[1]
        assert "there is no file" in lines[2]
        assert "'sorrow' is unknown" in lines[3]
    assert list(tmp_path.iterdir()) == []


def test_too_few_labels_are_refused_before_anything_is_decoded(folder: Path, tmp_path: Path) -> None:
    write(folder / "small.csv", rows_of(folder / "data.csv")[:49])
    with pytest.raises(CommandError) as caught:
        run("train_wellness_model", folder / "small.csv", "--output", tmp_path / "m", "--model-version", "v")
    assert str(caught.value) == "stress has 49 speakers (at least 50): too few to train on."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model_version": "a b"}, "--model-version takes up to 64"),
        ({"model_version": shipped().version}, "version of the shipped model"),
        ({"model_version": "v", "jobs": 0}, "--jobs is at least 1"),
        ({"model_version": "v", "output": Path(__file__).parent}, "is not empty"),
    ],
)
def test_options_that_cannot_be_meant(folder: Path, tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("train_wellness_model", folder / "data.csv", **{"output": tmp_path / "m", **options})
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_not_there_or_no_model(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.csv: No such file"):
        run("evaluate_wellness_model", tmp_path / "nowhere.csv")
    with pytest.raises(CommandError, match=r"data\.csv is no model of this release"):
        run("evaluate_wellness_model", folder / "data.csv", "--model-file", folder / "data.csv")
    with pytest.raises(CommandError, match="--model-file needs"):
        run("evaluate_wellness_model", "--model-file", folder / "data.csv")


def test_the_shipped_model_is_judged_on_the_training_data(settings: Any, tmp_path: Path) -> None:
    settings.HELIOS_TRAINING_DATA = tmp_path / "data"
    with pytest.raises(CommandError, match="HELIOS_TRAINING_DATA must name the folder") as caught:
        run("evaluate_wellness_model", "--output", tmp_path / "figures.json")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []

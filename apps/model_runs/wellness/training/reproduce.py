"""From raw data to everything that ships of the model: weights, the figures that say what they are worth, the card."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from apps.model_runs.wellness import heads
from apps.model_runs.wellness.features.registry import HEAD_FEATURES
from apps.model_runs.wellness.fusion import AUTHORED_WORDS
from apps.model_runs.wellness.heads import Dimension, VoiceModel, voice_to_json
from apps.model_runs.wellness.model import SHIPPED_VERSION, WellnessModel
from apps.model_runs.wellness.training import figures as voice_figures
from apps.model_runs.wellness.training.card import card
from apps.model_runs.wellness.training.corpus import read_emodb
from apps.model_runs.wellness.training.evaluate import hold_out, parts_of
from apps.model_runs.wellness.training.fit import TARGETS, fit_voice
from apps.model_runs.wellness.training.report import report as report
from apps.model_runs.wellness.training.straying import fit_straying
from apps.model_runs.wellness.training.units import Progress, Units, build_units
from apps.model_runs.wellness.words import heads as word_heads
from apps.model_runs.wellness.words import training as word_training

WORD_WEIGHT = 1.5

# Fear and anger against neutral speech carry over to other corpora well, fear and sadness less so; that low activation
# means exhaustion or sleepiness is only read, and no voice data speak of self-esteem.
DIMENSIONS = {
    "distress": Dimension("distress", 0.5, WORD_WEIGHT, "acted_proxy"),
    "stress": Dimension("stress", 1.0, WORD_WEIGHT, "acted_proxy"),
    "exhaustion": Dimension("exhaustion", 0.25, WORD_WEIGHT, "literature_index"),
    "sleepPropensity": Dimension("sleepPropensity", 0.25, WORD_WEIGHT, "literature_index"),
    "lowSelfEsteem": Dimension("distress", 0.0, WORD_WEIGHT, AUTHORED_WORDS),
}

# What a reproduction writes into its folder. The first two are the model, the rest tells what it is worth.
VOICE, WORDS, EVALUATION = heads.WEIGHTS_PATH.name, word_heads.WEIGHTS_PATH.name, "evaluation.json"
EVALUATION_PATH = heads.WEIGHTS_PATH.with_name(EVALUATION)


def reproduce(training_data: Path, jobs: int, progress: Progress) -> tuple[WellnessModel, dict[str, Any]]:
    """The model and its figures from the folder that holds `emodb/` and `words/`; `jobs` processes measure.

    Raises TrainingDataMissing, before anything is measured.
    """
    takes = read_emodb(training_data / "emodb")
    words, word_figures = word_training.reproduce(training_data)
    voice, found = train_voice(build_units(takes, jobs, progress))
    model = WellnessModel(SHIPPED_VERSION, voice, words)
    return model, {"version": model.version, "voice": found, "words": word_figures}


def evaluate_shipped(training_data: Path, jobs: int, progress: Progress) -> dict[str, Any]:
    """Every figure of the shipped model's card, measured anew: a held-out figure needs heads fitted without the
    speakers or sentences that it is measured on, so this is a reproduction whose weights are thrown away."""
    return reproduce(training_data, jobs, progress)[1]


def train_voice(units: Units) -> tuple[VoiceModel, dict[str, Any]]:
    """Fits on all speakers; measures on each speaker by what was fitted on the others."""
    held = hold_out(units)
    groups, fitted = fit_voice(units)
    parts, _ = parts_of(units, held)
    straying = {head: fit_straying(parts, head) for head in TARGETS}
    model = VoiceModel(HEAD_FEATURES, groups, fitted, DIMENSIONS, straying, strain_share=1.0)
    model = replace(model, strain_share=voice_figures.strain_share(units, held, straying, model))
    return model, voice_figures.figures(units, held, model)


def write(model: WellnessModel, evaluation: dict[str, Any], folder: Path) -> None:
    """Writes weights and figures into `folder`, one array a line, so that a change can be read in a diff."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {VOICE: voice_to_json(model.voice), WORDS: word_heads.model_to_json(model.words), EVALUATION: evaluation}
    for name, content in contents.items():
        (folder / name).write_text(_lines(content) + "\n", encoding="utf-8")


def write_card(evaluation: dict[str, Any], page: Path) -> None:
    """Writes the card that the figures make, and its plots into the folder of the same name beside it."""
    for name, text in card(evaluation, page.stem).items():
        path = page.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def largest_difference(first: Any, second: Any) -> float:
    """Between two files of weights as parsed JSON: the greatest difference of two numbers, relative above 1; infinite
    where anything but numbers differs. On one processor family it is 0; another one rounds sums differently."""
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        return max((largest_difference(first[key], second[key]) for key in first), default=0.0)
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return max((largest_difference(*pair) for pair in zip(first, second, strict=True)), default=0.0)
    if type(first) in (int, float) and type(second) in (int, float):
        difference = abs(first - second) / max(1.0, abs(first), abs(second))
        return math.inf if math.isnan(difference) else float(difference)
    return 0.0 if first == second else math.inf


def _lines(value: Any, indent: str = "") -> str:
    if isinstance(value, dict) and value:
        deeper = indent + " "
        inside = ",\n".join(f"{deeper}{json.dumps(key)}: {_lines(item, deeper)}" for key, item in value.items())
        return f"{{\n{inside}\n{indent}}}"
    return json.dumps(value, ensure_ascii=False)

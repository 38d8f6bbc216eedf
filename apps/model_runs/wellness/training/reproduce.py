"""From raw recordings to the weights that ship, with the figures that say what they are worth."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps.model_runs.wellness.features.registry import HEAD_FEATURES
from apps.model_runs.wellness.heads import Dimension, VoiceModel, model_to_json
from apps.model_runs.wellness.training.corpus import read_emodb
from apps.model_runs.wellness.training.evaluate import coverage, figures, hold_out, repeatability
from apps.model_runs.wellness.training.fit import fit_voice
from apps.model_runs.wellness.training.units import Progress, Units, build_units

VERSION = "2026.1-provisional"

# Boredom and sadness stand for low activation; no label tells tiredness from work and tiredness for want of sleep
# apart, so both scores read one head. Nothing in the data speaks of self-esteem: a quarter of the distress logit
# keeps that score near the middle of the peers.
DIMENSIONS = {
    "distress": Dimension("distress", 1.0, "acted_proxy"),
    "stress": Dimension("stress", 1.0, "acted_proxy"),
    "exhaustion": Dimension("exhaustion", 1.0, "literature_index"),
    "sleepPropensity": Dimension("exhaustion", 1.0, "literature_index"),
    "lowSelfEsteem": Dimension("distress", 0.25, "literature_index"),
}

WARNINGS = (
    "exhaustion and sleepPropensity rest on the same voice measurements and are equal in this model version.",
    "lowSelfEsteem is derived from the distress score and has the lowest confidence.",
)


def reproduce(training_data: Path, jobs: int, progress: Progress | None = None) -> VoiceModel:
    """The model from the folder that holds `emodb/`; `jobs` processes measure. Raises TrainingDataMissing."""
    return train(build_units(read_emodb(training_data / "emodb"), jobs, progress))


def train(units: Units) -> VoiceModel:
    """Fits on all speakers; measures on each speaker by what was fitted on the others."""
    held = hold_out(units, DIMENSIONS)
    groups, heads = fit_voice(units)
    return VoiceModel(
        version=VERSION,
        features=HEAD_FEATURES,
        groups=groups,
        heads=heads,
        dimensions=DIMENSIONS,
        repeatability=repeatability(units, held),
        warnings=WARNINGS,
        figures={"heads": figures(units, held), "intervalCoverage": coverage(units, held)},
    )


def write_weights(model: VoiceModel, path: Path) -> None:
    """Writes the model as JSON, one array a line, so that a change of weights can be read in a diff."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_lines(model_to_json(model)) + "\n", encoding="utf-8")


def largest_difference(first: Any, second: Any) -> float:
    """Between two weights files as parsed JSON: the greatest difference of two numbers, relative above 1; infinite
    where anything but numbers differs. On one processor family it is 0; another one rounds sums differently."""
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        return max((largest_difference(first[key], second[key]) for key in first), default=0.0)
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return max((largest_difference(*pair) for pair in zip(first, second, strict=True)), default=0.0)
    if type(first) in (int, float) and type(second) in (int, float):
        return float(abs(first - second) / max(1.0, abs(first), abs(second)))
    return 0.0 if first == second else math.inf


def report(figures: Mapping[str, Any]) -> str:
    """The figures as a table for people: AUCs of held-out speakers, always beside their baselines."""
    names = list(figures["heads"])
    rows = [("leave one speaker out", *names)]
    first = figures["heads"][names[0]]
    rows += [(key, *(f"{figures['heads'][n][key]:g}" for n in names)) for key in first if key != "disturbances"]
    for disturbance in first["disturbances"]:
        cells = (figures["heads"][n]["disturbances"][disturbance] for n in names)
        rows.append((disturbance, *(f"{c['meanMove']:+.2f} (AUC {c['auc']:.2f})" for c in cells)))
    table = "\n".join(f"{row[0]:<32}" + "".join(f"{cell:>20}" for cell in row[1:]) for row in rows)
    held = ", ".join(f"{name} {share:.2f}" for name, share in figures["intervalCoverage"].items())
    return f"{table}\n80 % intervals held the whole recording's score in: {held}"


def _lines(value: Any, indent: str = "") -> str:
    if isinstance(value, dict) and value:
        deeper = indent + " "
        inside = ",\n".join(f"{deeper}{json.dumps(key)}: {_lines(item, deeper)}" for key, item in value.items())
        return f"{{\n{inside}\n{indent}}}"
    return json.dumps(value, ensure_ascii=False)

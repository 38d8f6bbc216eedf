"""Every figure of `evaluation.json` as tables: the model card sets them in Markdown, `report` for a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from apps.model_runs.wellness.scores import MENTAL_STRAIN
from apps.model_runs.wellness.training.straying import COVERAGE

Figures = Mapping[str, Any]
Row = tuple[str, ...]

COVERAGE_TOLERANCE = 0.05  # intervals that hold COVERAGE give or take this do what they say
SEX_NAMES = {"FEMALE": "women", "MALE": "men"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; the first column names the row."""

    title: str
    head: Row
    rows: Sequence[Row]


def number(value: float | None, digits: int = 3) -> str:
    """A figure for people; what could not be computed (None or NaN) is a dash."""
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def interval(found: Sequence[float | None]) -> str:
    """A figure with the ends of its 95 % interval, from [figure, low, high]."""
    return f"{number(found[0])} ({number(found[1])} to {number(found[2])})"


def signed(value: float) -> str:
    """A move with its direction."""
    return f"{value:+.3f}"


# --- The voice ---
def voice_tables(voice: Figures) -> list[Table]:
    """All tables of the voice heads, in the order of the card."""
    return [
        worth(voice),
        groups(voice),
        calibration(voice),
        calibration_bins(voice),
        by_label(voice),
        by_seconds(voice),
        by_noise(voice),
        disturbances(voice),
        coverage(voice),
    ]


def worth(voice: Figures) -> Table:
    """What each head is worth on speakers it never heard, with what must stand beside it."""
    return _by_head(
        "Held-out speakers",
        voice,
        {
            "recordings, of which positive": lambda h: f"{h['recordings']}, {h['positives']}",
            "AUC": lambda h: interval(h["auc"]),
            "AUC within sex": lambda h: interval(h["aucWithinSex"]),
            "AUC, birth sex not given": lambda h: interval(h["aucSexUnknown"]),
            "baseline: sex alone": lambda h: number(h["baselineSexOnly"]),
            "baseline: median pitch alone": lambda h: number(h["baselinePitchOnly"]),
            "baseline: median pitch alone, within sex": lambda h: number(h["baselinePitchWithinSex"]),
            "permutation p": lambda h: number(h["permutationP"], 4),
            "AUC after training on shuffled labels": lambda h: number(h["aucShuffledLabels"]),
            "padding: its length alone, AUC": lambda h: number(h["baselineZeroTailOnly"]),
            "padding: correlation with the logit": lambda h: signed(h["zeroTailCorrelationWithinLabel"]),
        },
    )


def groups(voice: Figures) -> Table:
    """AUC by sex and by age, with the recordings it was counted on."""

    def cell(head: Figures, key: str, name: str) -> str:
        return f"{number(head[key][name]['auc'])} of {head[key][name]['recordings']}"

    first = _first(voice)
    rows = {SEX_NAMES[name]: partial(cell, key="bySex", name=name) for name in first["bySex"]}
    rows |= {f"{name} years": partial(cell, key="byAge", name=name) for name in first["byAge"]}
    return _by_head("AUC by sex and age, and recordings", voice, rows)


def calibration(voice: Figures) -> Table:
    """How far the heads' logits could be read as probabilities."""
    return _by_head(
        "Calibration",
        voice,
        {
            "mean error": lambda h: number(h["calibration"]["error"]),
            "slope (1 is right)": lambda h: number(h["calibration"]["slope"], 2),
            "intercept (0 is right)": lambda h: number(h["calibration"]["intercept"], 2),
        },
    )


def calibration_bins(voice: Figures) -> Table:
    """Predicted and found shares of positives, in bins of about equal numbers."""
    most = max(len(head["calibration"]["bins"]) for head in voice["heads"].values())

    def cell(head: Figures, place: int) -> str:
        bins = head["calibration"]["bins"]
        if place >= len(bins):
            return ""
        predicted, observed, count = bins[place]
        return f"{number(predicted, 4)}: {number(observed, 4)} of {count}"

    rows = {f"bin {place + 1}": partial(cell, place=place) for place in range(most)}
    return _by_head("Calibration by bins: share predicted, share found, recordings", voice, rows)


def by_label(voice: Figures) -> Table:
    """Where the recordings of each acted emotion lie among the peers."""
    labels = list(_first(voice)["byLabel"])

    def cell(head: Figures, label: str) -> str:
        low, middle, high = head["byLabel"][label]
        return f"{number(middle, 4)} ({number(low, 4)} to {number(high, 4)})"

    rows = {label: partial(cell, label=label) for label in labels}
    return _by_head("Share of the peers by acted emotion: median and quartiles", voice, rows)


def by_seconds(voice: Figures) -> Table:
    """AUC by seconds of speech."""
    return _by_range("AUC by seconds of speech, and recordings", voice, "bySeconds", "s")


def by_noise(voice: Figures) -> Table:
    """AUC by signal-to-noise ratio."""
    return _by_range(
        "AUC by signal-to-noise ratio, disturbed recordings included, and recordings", voice, "bySnr", "dB"
    )


def disturbances(voice: Figures) -> Table:
    """What each disturbance does to the share of the peers."""
    names = list(_first(voice)["disturbances"])

    def cell(head: Figures, name: str) -> str:
        found = head["disturbances"][name]
        return f"{signed(found['meanMove'])}, {number(found['meanSize'])}, {number(found['auc'])}"

    rows = {name: partial(cell, name=name) for name in names}
    return _by_head("Disturbances: mean move of the share, mean size of the move, AUC", voice, rows)


def coverage(voice: Figures) -> Table:
    """How often the intervals hold, and their widths."""
    heads = list(voice["heads"])
    rows = [
        (
            group,
            str(found["recordings"]),
            *(f"{number(found[head]['held'])} (width {number(found[head]['width'])})" for head in heads),
            number(found[MENTAL_STRAIN]["held"]),
        )
        for group, found in voice["intervals"].items()
    ]
    head = ("shown to the model", "recordings", *heads, MENTAL_STRAIN)
    return Table(f"How often the intervals of {COVERAGE * 100:g} % hold, and their median width", head, rows)


def _by_head(title: str, voice: Figures, rows: Mapping[str, Callable[[Figures], str]]) -> Table:
    heads = voice["heads"]
    body = [(name, *(cell(found) for found in heads.values())) for name, cell in rows.items()]
    return Table(title, ("", *heads), body)


def _first(voice: Figures) -> Figures:
    """Any head: all have the same groups, labels and disturbances."""
    found: Figures = next(iter(voice["heads"].values()))
    return found


def _by_range(title: str, voice: Figures, key: str, unit: str) -> Table:
    rows = []
    for place, bounds in enumerate(_first(voice)[key]):
        found = [head[key][place] for head in voice["heads"].values()]
        cells = (f"{interval(row['auc'])} of {row['recordings']}" for row in found)
        rows.append((f"{bounds['from']:g} to {bounds['to']:g} {unit}", *cells))
    return Table(title, ("", *voice["heads"]), rows)

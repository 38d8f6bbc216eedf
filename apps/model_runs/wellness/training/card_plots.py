"""The plots of the model card."""

from __future__ import annotations

from collections.abc import Sequence

from apps.model_runs.wellness.training.card_tables import Figures, interval
from apps.model_runs.wellness.training.plots import Plot, Series

_CHANCE = ((0.0, 0.0), (1.0, 1.0))


def plots(voice: Figures) -> dict[str, Plot]:
    """The plots by their file's stem, in the order of the card."""
    return {
        "roc": _roc(voice),
        "calibration": _calibration(voice),
        "speech-seconds": _along(voice, "bySeconds", "speech (s)", "Heads by seconds of speech"),
        "snr": _along(voice, "bySnr", "signal to noise (dB)", "Heads by signal-to-noise ratio"),
    }


def _roc(voice: Figures) -> Plot:
    areas = ", ".join(f"{name} {interval(head['auc'])}" for name, head in voice["heads"].items())
    return Plot(
        title="ROC of held-out speakers",
        description=f"Share of positives found against share of negatives wrongly found. AUC: {areas}.",
        x_label="recordings without the state at or above the score",
        y_label="recordings of the state at or above the score",
        series=[
            *(Series(name, [(x, y) for x, y in head["roc"]], step=True) for name, head in voice["heads"].items()),
            Series("chance", _CHANCE),
        ],
        x_range=(0, 1),
    )


def _calibration(voice: Figures) -> Plot:
    return Plot(
        title="Calibration on held-out speakers",
        description="Share of positives against the probability that the head's logit would mean, in bins of about"
        " equal numbers. On the diagonal a logit could be read as a probability.",
        x_label="probability by the head's logit",
        y_label="share of positives",
        series=[
            *(
                Series(name, [(b[0], b[1]) for b in head["calibration"]["bins"]], marks=True)
                for name, head in voice["heads"].items()
            ),
            Series("what a probability would be", _CHANCE),
        ],
        x_range=(0, 1),
    )


def _along(voice: Figures, key: str, label: str, title: str) -> Plot:
    rows = {name: head[key] for name, head in voice["heads"].items()}
    first = next(iter(rows.values()))
    return Plot(
        title=title,
        description=f"AUC on held-out speakers by {label}, with 95 % intervals over speakers. 0.5 is chance.",
        x_label=label,
        y_label="AUC",
        series=[
            Series(
                name,
                [(_middle(row), row["auc"][0]) for row in found],
                marks=True,
                band=[(_middle(row), *_ends(row["auc"])) for row in found],
            )
            for name, found in rows.items()
        ],
        x_range=(float(first[0]["from"]), float(first[-1]["to"])),
        y_range=(0.4, 1.0),
    )


def _middle(row: Figures) -> float:
    return float(row["from"] + row["to"]) / 2


def _ends(area: Sequence[float]) -> tuple[float, float]:
    return area[1], area[2]

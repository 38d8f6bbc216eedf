"""The folder that training writes: the model, its figures, a model card and its plots."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apps.model_runs.wellness.model import model_to_json
from apps.model_runs.wellness.training.customer_figures import Figures
from apps.model_runs.wellness.training.customer_report import (
    GROUP_COLUMNS,
    GROUPINGS,
    Row,
    area_rows,
    calibration_line,
    calibration_rows,
    chance_line,
    group_rows,
)
from apps.model_runs.wellness.training.customer_train import Trained
from apps.model_runs.wellness.training.plots import Plot, Point, Series, svg

_SEX_NAMES = {"MALE": "men", "FEMALE": "women"}

_FORBIDDEN = """\
## What it must not be used for

- To diagnose anyone: a score is a rank among the people of the recordings below, not a finding and not a probability.
- To decide on a person's work, insurance, credit, schooling, benefits or legal standing.
- For people, languages, microphones or situations that the recordings below do not hold: nothing here says what the
  model does there.
- Where a baseline below does as well as the score, or a warning stands: then the model adds nothing that is known.
"""

_METHOD = """\
## How the figures were made

Everything is judged on people whom the model had not met: the whole procedure, with its choice of penalty, reference
and word weight, was run five times without a fifth of the speakers, who were then scored. Intervals are of 95 %, over
1,000 samples of whole speakers; those of the calibration's bins take recordings as independent (Wilson). Baselines
choose their direction with all labels in sight, so they are if anything too good. The permutation p repeats the
cross-validation on labels that tell nothing, speakers exchanging theirs as a whole; within sex they exchange with
people of their own sex only.

Confidence intervals of scores are those of the base model: how repeatable the new heads are was not measured. Word
weights take the given texts for what the product will hear; its own transcripts hold errors.
"""


def folder_is_free(folder: Path) -> bool:
    """Whether `write_folder` may put its files there."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def write_folder(folder: Path, trained: Trained, about: Mapping[str, Any]) -> None:
    """Writes model.json, evaluation.json, card.md and the plots, all or nothing: the folder appears when it is whole.

    `about` describes the data file: `file`, `sha256`, `positiveFrom`, `base`. Raises OSError where the folder is
    taken or cannot be written.
    """
    version = trained.model.version
    files = {
        "model.json": json.dumps(model_to_json(trained.model), separators=(",", ":")) + "\n",
        "evaluation.json": json.dumps({"version": version, **about, "targets": trained.targets}, indent=1) + "\n",
        "card.md": card(version, trained.targets, about),
    }
    for target, found in trained.targets.items():
        files |= {f"{target}-{name}.svg": svg(plot) for name, plot in plots(target, found).items()}

    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, text in files.items():
            (made / name).write_text(text, encoding="utf-8")
        made.chmod(0o755)
        os.rename(made, folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def card(version: str, targets: Mapping[str, Figures], about: Mapping[str, Any]) -> str:
    """The model card in Markdown; it names the plots that lie beside it."""
    names = ", ".join(targets)
    scale = "" if about["positiveFrom"] is None else f", a score of {about['positiveFrom']:g} and more being positive"
    peers = "the people in these recordings, of the same sex where enough are known"
    summary = (
        f"A model of this installation: {names} from labels in `{about['file']}` (SHA-256 `{about['sha256']}`{scale}),"
        f" everything else as in model {about['base']}. It is no medical device. Each score of {names} is the share of"
        f" {peers}, whose voice scores lower, moved by what the person says. It is not the chance of a state: among"
        " other people, with another share of positives, the same score means something else."
    )
    parts = [
        f"# Model {version}",
        summary,
        _FORBIDDEN.rstrip(),
        *(part for target, found in targets.items() for part in _target(target, found)),
        _METHOD.rstrip(),
    ]
    return "\n\n".join(parts) + "\n"


def plots(target: str, found: Figures) -> dict[str, Plot]:
    """The four plots of a target by the end of their file name; a plot without any measurement is left out."""
    made = {"roc": _roc(target, found), "calibration": _calibration(target, found)}
    for name, key, what, unit in (
        ("speech-seconds", "bySpeechSeconds", "length of speech", "s"),
        ("snr", "bySnr", "signal-to-noise ratio", "dB"),
    ):
        if found[key]:
            made[name] = _along(target, found[key], what, unit)
    return made


def _target(target: str, found: Figures) -> list[str]:
    data = found["data"]
    counts = (
        f"{data['recordings']} recordings of {data['speakers']} speakers; {data['positives']} recordings of"
        f" {data['positiveSpeakers']} speakers are positive; {data['withText']} have a text. Speech lasts"
        f" {_spread(data['speechSeconds'], 's')}; the signal stands {_spread(data['snrDb'], 'dB')} above the noise."
    )
    return [
        f"## {target}",
        *(f"> **Warning.** {warning}" for warning in found["warnings"]),
        counts,
        _markdown(area_rows(found), ("", "AUC (95 %)")),
        chance_line(found),
        calibration_line(found),
        _markdown(calibration_rows(found), ("predicted", "observed (95 %)", "recordings")),
        *(_markdown(group_rows(found[name]), (head, *GROUP_COLUMNS)) for name, head in GROUPINGS),
        *(f"![{plot.title}. {plot.description}]({target}-{name}.svg)" for name, plot in plots(target, found).items()),
        _fitting(found["fit"]),
    ]


def _fitting(fit: Mapping[str, Any]) -> str:
    said = [f"Penalty {fit['penalty']:g}."]
    said.append(
        f"The words count {fit['wordWeight']:g} times the voice, "
        + ("fitted here." if fit["wordWeightFitted"] else "as in the base model: fewer than half have a text.")
    )
    if not fit["coefficientsBySex"]:
        said.append("Too few people of known sex: they are scored by the coefficients for all people.")
    said += [
        f"Fewer than ten {name} are known: their reference is all recordings."
        for sex, name in _SEX_NAMES.items()
        if sex not in fit["ownReference"]
    ]
    return " ".join(said)


def _spread(quartiles: Sequence[float], unit: str) -> str:
    if not quartiles:
        return "an unknown amount"
    least, low, middle, high, most = quartiles
    return f"{middle:.1f} {unit} (half of them {low:.1f} to {high:.1f}, all {least:.1f} to {most:.1f})"


def _markdown(rows: Sequence[Row], head: Row) -> str:
    rule = ("---", *["---:"] * (len(head) - 1))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _roc(target: str, found: Figures) -> Plot:
    area = found["auc"]["auc"]
    return Plot(
        title=f"{target}: ROC of held-out speakers",
        description=f"Share of positives found against share of negatives wrongly found; the area is {area:.3f}.",
        x_label="negatives at or above the score",
        y_label="positives at or above the score",
        series=(Series(f"score, AUC {area:.3f}", found["roc"]), Series("chance, AUC 0.5", ((0, 0), (1, 1)))),
        x_range=(0, 1),
    )


def _calibration(target: str, found: Figures) -> Plot:
    bins = found["calibration"]["bins"]
    return Plot(
        title=f"{target}: calibration",
        description="Share of positives by score, with 95 % intervals; on the diagonal a score would be a probability.",
        x_label="score",
        y_label="share of positives",
        series=(
            Series(
                "recordings in bins",
                [(b["predicted"], b["observed"]) for b in bins],
                marks=True,
                band=[(b["predicted"], b["low"], b["high"]) for b in bins],
            ),
            Series("score as a probability", ((0, 0), (1, 1))),
        ),
        x_range=(0, 1),
    )


def _along(target: str, rows: Sequence[Mapping[str, Any]], what: str, unit: str) -> Plot:
    known = {
        name: [(row["middle"], row[name]) for row in rows if row[name]["count"]] for name in ("positive", "negative")
    }
    series = [
        Series(
            f"{name} recordings",
            [_mean(middle, group) for middle, group in points],
            marks=True,
            band=[(middle, group["low"], group["high"]) for middle, group in points],
        )
        for name, points in known.items()
    ]
    low, high = rows[0]["from"], rows[-1]["to"]
    return Plot(
        title=f"{target}: score by {what}",
        description=f"Mean score of positive and of negative recordings by {what}, with 95 % intervals.",
        x_label=f"{what} ({unit})",
        y_label="mean score",
        series=series,
        x_range=(low, high if high > low else low + 1),
    )


def _mean(middle: float, group: Mapping[str, Any]) -> Point:
    return middle, group["mean"]

"""The figures of `customer_figures` as rows of text, for a terminal and for a model card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.model_runs.wellness.training.customer_figures import BASELINES, Figures, interval_text, p_text

Row = tuple[str, ...]


def report(target: str, found: Figures) -> str:
    """The figures as text for a terminal."""
    data = found["data"]
    parts = [
        f"{target}: {data['recordings']} recordings of {data['speakers']} speakers, {data['positives']} positive",
        table(area_rows(found), ("", "AUC (95 %)")),
        chance_line(found),
        calibration_line(found),
        table(calibration_rows(found), ("predicted", "observed (95 %)", "recordings")),
        *(table(group_rows(found[name]), (head, *GROUP_COLUMNS)) for name, head in GROUPINGS),
        *(f"WARNING: {warning}" for warning in found["warnings"]),
    ]
    return "\n\n".join(parts)


GROUPINGS = (("bySex", "sex"), ("byBirth", "born"))
GROUP_COLUMNS = ("recordings", "speakers", "positive", "mean score", "AUC (95 %)")


def area_rows(found: Figures) -> list[Row]:
    """The score and what stands beside it, each with its AUC."""
    rows = [
        ("the score", found["auc"]),
        ("its voice alone", found["voiceAuc"]),
        ("its words alone", found["wordsAuc"]),
        *((f"baseline: {words} alone", found["baselines"][name]) for name, words in BASELINES.items()),
        ("within sex: the score", found["withinSex"]["auc"]),
        ("within sex: the median pitch alone", found["withinSex"]["pitchOnly"]),
    ]
    return [(name, interval_text(area)) for name, area in rows if area is not None]


def chance_line(found: Figures) -> str:
    """How often labels that tell nothing do as well."""
    chance = found["permutation"]
    return (
        f"Permutation p: {p_text(chance['p'])}; within sex: {p_text(chance['withinSex'])}"
        f" ({chance['deals']} deals; {chance['method']})."
    )


def calibration_line(found: Figures) -> str:
    """The score read as a chance of a positive."""
    c = found["calibration"]
    return (
        f"Calibration: expected error {c['expectedError']:.3f}, slope {c['slope']:.2f}, intercept {c['intercept']:.2f},"
        f" Brier score {c['brier']:.3f} ({c['brierOfBaseRate']:.3f} by the share of positives alone)."
    )


def calibration_rows(found: Figures) -> list[Row]:
    return [
        (f"{b['predicted']:.2f}", f"{b['observed']:.2f} ({b['low']:.2f}-{b['high']:.2f})", str(b["count"]))
        for b in found["calibration"]["bins"]
    ]


def group_rows(groups: Iterable[Mapping[str, Any]]) -> list[Row]:
    return [
        (
            g["name"], str(g["recordings"]), str(g["speakers"]), str(g["positives"]), f"{g['meanScore']:.2f}",
            interval_text(g),
        )
        for g in groups
    ]  # fmt: skip


def table(rows: Sequence[Row], head: Row) -> str:
    """Columns for a terminal, the first flush left."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in (head, *rows)
    )

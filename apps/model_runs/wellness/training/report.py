"""Every figure of the model card as text for a terminal."""

from __future__ import annotations

from apps.model_runs.wellness.training.card_aims import aims
from apps.model_runs.wellness.training.card_tables import Figures, Table, voice_tables
from apps.model_runs.wellness.training.card_words import word_tables


def report(evaluation: Figures) -> str:
    """The figures of `reproduce` as tables: the voice heads, the word heads, the aims."""
    units = evaluation["voice"]["units"]
    told = [
        f"Model {evaluation['version']}, every figure on speakers and sentences that were left out of the fit.",
        f"Voice: {units['speakers']} speakers, {units['joins']} clean joined recordings.",
    ]
    tables = [*voice_tables(evaluation["voice"]), *word_tables(evaluation["words"]), aims(evaluation)]
    return "\n\n".join([*told, *(_plain(table) for table in tables)])


def _plain(table: Table) -> str:
    """The table in columns, the first flush left."""
    lines = (table.head, *table.rows)
    widths = [max(len(line[place]) for line in lines) for place in range(len(table.head))]
    aligned = (
        "  ".join([first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True))])
        for first, *rest in lines
    )
    return "\n".join([table.title, *(line.rstrip() for line in aligned)])

"""The figures of the word heads as tables."""

from __future__ import annotations

from collections.abc import Iterable

from apps.model_runs.wellness.training.card_tables import Figures, Row, Table, interval, number


def word_tables(words: Figures) -> list[Table]:
    """All tables of the word heads, in the order of the card."""
    return [by_kind(words), separation(words), false_alarms(words), on_comments(words)]


def by_kind(words: Figures) -> Table:
    """Share of held-out sentences on the right side of the threshold."""
    templates = words["heldOutTemplates"]

    def cell(found: Figures) -> str:
        return f"{interval([found['share'], found['low'], found['high']])} of {found['sentences']}"

    kinds = list(next(iter(templates.values())))
    rows = [(kind, *(cell(found[kind]) for found in templates.values())) for kind in kinds]
    return Table("Held-out templates: share read rightly, and sentences", ("", *templates), rows)


def separation(words: Figures) -> Table:
    """How well each head tells its authored sentences from the others, beside keywords and length."""
    found = words["separation"]
    return Table(
        "Held-out templates: sentences that state it against those that do not",
        ("", *found),
        [
            ("sentences that state it, others", *(f"{own['positives']}, {own['others']}" for own in found.values())),
            ("AUC", *(area(own) for own in found.values())),
            *_baselines(found.values()),
        ],
    )


def false_alarms(words: Figures) -> Table:
    """Share of everyday paragraphs for which a head speaks up."""
    found = words["neutralParagraphs"]
    row = (f"of {found['paragraphs']} paragraphs", *(number(share, 4) for share in found["falseAlarms"].values()))
    return Table("Everyday paragraphs above the threshold", ("", *found["falseAlarms"]), [row])


def on_comments(words: Figures) -> Table:
    """Distress against everything else on comments that training never saw."""
    found = words["distressComments"]
    rows = [("comments marked, others", f"{found['marked']}, {found['others']}"), ("AUC", area(found))]
    return Table("Comments labelled by raters", ("", "distress"), [*rows, *_baselines([found])])


def area(found: Figures) -> str:
    """An AUC of words with its interval."""
    return interval([found["auc"], found["low"], found["high"]])


def _baselines(found: Iterable[Figures]) -> list[Row]:
    kept = list(found)
    return [
        ("baseline: the state's keywords alone", *(number(own["aucKeywords"]) for own in kept)),
        ("baseline: number of words alone", *(number(own["aucLength"]) for own in kept)),
    ]

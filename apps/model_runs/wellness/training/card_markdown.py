"""How the model card is set in Markdown."""

from __future__ import annotations

import re
import textwrap

from apps.model_runs.wellness.training.card_tables import Table

_WIDTH = 120


def percent(share: float) -> str:
    """`0.8` -> `80 %`."""
    return f"{share * 100:g} %"


def reflowed(block: str) -> str:
    """A paragraph or list with its lines filled up again after figures were put in; other Markdown as it is."""
    if block.startswith(("|", "#", "![", "    ")):
        return block
    return "\n".join(_filled(item) for item in re.split(r"\n(?=- |\d\. )", block))


def _filled(item: str) -> str:
    found = re.match(r" *(- |\d\. )?", item)
    hanging = " " * (found.end() if found else 0)
    first = item[: len(hanging)]
    words = " ".join(item.split()).removeprefix(first.lstrip())
    return textwrap.fill(
        words,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def markdown(table: Table) -> str:
    """The table in Markdown, without its title."""
    rule = ("---",) * len(table.head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (table.head, rule, *table.rows))

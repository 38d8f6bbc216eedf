"""Pages of scores. A page may end between two scores of one run, so that `_count` is kept exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import QuerySet

from apps.fhir.resources.observations import Run
from apps.fhir.resources.scores import CODES
from helios_site.api.families import positions
from helios_site.api.families.fhir.errors import Invalid

DEFAULT_COUNT = 10 * len(CODES)  # the scores of ten runs
CURSOR_PATTERN = f"{positions.PATTERN}[0-{len(CODES) - 1}]"


class Place(NamedTuple):
    """Where a page ended: at one score of one run."""

    run: positions.Position
    score: int  # index in CODES


def read_place(query: Mapping[str, str]) -> Place | None:
    """`_cursor`: where the page before ended. Raises Invalid."""
    raw = query.get("_cursor")
    if raw is None:
        return None
    run, score = positions.unpack(raw[:-1]), raw[-1:]
    if run is None or score not in map(str, range(len(CODES))):
        raise Invalid("_cursor is not one that this service gave. Begin again without it.")
    return Place(run, int(score))


def cursor_at(place: Place) -> str:
    return f"{positions.pack(place.run)}{place.score}"


def page_of_scores(
    runs: QuerySet[Any, Run], after: Place | None, count: int
) -> tuple[list[tuple[Run, str]], Place | None]:
    """The next `count` scores, each as its run and its code, and the place of the last one if there are more. `runs`
    are newest first."""
    if count == 0:
        return [], None
    if after is not None:
        runs = positions.older(runs, after.run, inclusive=True)
    found = [
        (run, score)
        for run in runs[
            : count // len(CODES) + 2
        ]  # the first may be done with, and one more tells whether there is more
        for score in range(len(CODES))
        if after is None or (run["created_at"], run["id"]) != after.run or score > after.score
    ]
    page = [(run, CODES[score]) for run, score in found[:count]]
    if len(found) <= count:
        return page, None
    run, score = found[count - 1]
    return page, Place((run["created_at"], run["id"]), score)

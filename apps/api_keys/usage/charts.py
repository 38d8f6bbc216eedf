"""The bars of the page of usage: where their parts stand, as texts for the attributes of SVG elements, and in words.

A chart is WIDTH x HEIGHT units large and stretched to its place; words stand beside it, since they would be stretched
too. Its figures are in the table below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10

from apps.api_keys.usage.selectors import DayTotals

WIDTH, HEIGHT = 600, 100
_GAP = 0.2  # of a day's place, between two bars
_LEAST = 0.8  # units: something that is little is seen, too
_STEPS = (10, 15, 20, 30, 40, 50, 60, 80, 100)  # tenths of a power of ten: what the axis may end at
_DENSE = 40  # bars, from which on they are too narrow for a line around each part

# Column -> what it is called, from the bottom of a bar to its top.
REQUESTS = {
    "requests_2xx": "answered",
    "requests_4xx": "refused",
    "requests_429": "over the limit",
    "requests_5xx": "failed",
}
RUNS = {"runs_ok": "scored", "runs_error": "in error"}
MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Part:
    kind: str  # the column: the style's class
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A day: its place is the whole height, so that it is easily pointed at."""

    x: str
    width: str
    place_x: str
    place_width: str
    title: str
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]
    top: int  # at the upper edge
    total: int
    kinds: dict[str, str]
    first: date
    last: date

    @property
    def is_dense(self) -> bool:
        return len(self.bars) > _DENSE


@dataclass(frozen=True, slots=True)
class Summary:
    """What the days say of the plan's limit, which counts minutes, while usage counts days."""

    requests: int
    over: int
    days_over: int
    share_over: float  # per cent
    busiest: DayTotals | None
    average_minute: int  # calls, of the busiest day, rounded up


def of_requests(days: Sequence[DayTotals]) -> Chart:
    return _chart(days, REQUESTS)


def of_runs(days: Sequence[DayTotals]) -> Chart:
    return _chart(days, RUNS)


def summary(days: Sequence[DayTotals]) -> Summary:
    requests, over = sum(one.requests for one in days), sum(one.requests_429 for one in days)
    busiest = max(days, key=lambda one: one.requests) if requests else None
    return Summary(
        requests=requests,
        over=over,
        days_over=sum(1 for one in days if one.requests_429),
        share_over=100 * over / requests if requests else 0.0,
        busiest=busiest,
        average_minute=ceil(busiest.requests / MINUTES) if busiest else 0,
    )


def _chart(days: Sequence[DayTotals], kinds: dict[str, str]) -> Chart:
    sums = [sum(getattr(one, kind) for kind in kinds) for one in days]
    top = _round_up(max(sums))
    width = WIDTH / len(days)
    bars = [
        Bar(
            x=_text((n + _GAP / 2) * width),
            width=_text((1 - _GAP) * width),
            place_x=_text(n * width),
            place_width=_text(width),
            title=_in_words(one, kinds),
            parts=_parts(one, kinds, top),
        )
        for n, one in enumerate(days)
    ]
    return Chart(bars, top, sum(sums), kinds, days[0].day, days[-1].day)


def _parts(one: DayTotals, kinds: dict[str, str], top: int) -> list[Part]:
    parts, y = [], float(HEIGHT)
    for kind in kinds:
        count = getattr(one, kind)
        if count:
            height = max(count / top * HEIGHT, _LEAST)
            y = max(y - height, 0.0)
            parts.append(Part(kind, _text(y), _text(height)))
    return parts


def _in_words(one: DayTotals, kinds: dict[str, str]) -> str:
    counts = [f"{getattr(one, kind):,} {words}" for kind, words in kinds.items() if getattr(one, kind)]
    return f"{one.day}: {', '.join(counts) or 'none'}"


def _round_up(most: int) -> int:
    """The next number of one or two digits and zeros that is not below, so that little of the height is left empty."""
    if most <= 10:
        return max(most, 1)
    power: int = 10 ** floor(log10(most)) // 10
    return next(step * power for step in _STEPS if step * power >= most)


def _text(number: float) -> str:
    return f"{number:.2f}".rstrip("0").removesuffix(".")

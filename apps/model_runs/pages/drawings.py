"""Where things stand in the drawings of a page, as texts for the attributes of SVG elements.

Every drawing is WIDTH x HEIGHT units large and stretched to its place; words stand beside it, since they would be
stretched too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2, log10
from typing import Any

WIDTH, HEIGHT = 600, 100
_PAD = 6  # units that a line keeps from the upper and lower edge
_MARGIN = 0.15  # of what a scale shows, to each side
_STEP = 10.0  # Hz, to which the ends of the axis of pitch are rounded
_FEWEST_OCTAVES = 1.0  # shown of pitch, so that a monotonous voice looks so
_LEAST_CLIPPED, _CLIPPED_DECADES = 1e-5, 4


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the width, from `x` on."""

    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A value on a line, and the part of the line that is usual."""

    at: str
    usual: Stretch


@dataclass(frozen=True, slots=True)
class Pitch:
    path: str
    lowest: int  # Hz, at the lower edge
    highest: int


@dataclass(frozen=True, slots=True)
class Series:
    """Values over days: a line with dots, the last one's dot by itself, and the band of what is usual, if known."""

    line: str
    dots: str
    last: str
    band_y: str
    band_height: str
    median_y: str


def stretch(low: float, high: float, whole: float = 1.0) -> Stretch:
    """From `low` to `high` of a width that stands for 0 to `whole`."""
    scale = WIDTH / whole if whole else 0.0
    return Stretch(_text(low * scale), _text(max(high - low, 0.0) * scale))


def at(share: float) -> str:
    return _text(min(max(share, 0.0), 1.0) * WIDTH)


def scale(value: float, low: float, high: float) -> Scale:
    """A measured value beside its usual range, with a margin around both."""
    first, last = min(value, low), max(value, high)
    margin = (last - first) * _MARGIN or 1.0
    first, whole = first - margin, last - first + 2 * margin
    return Scale(at((value - first) / whole), stretch(low - first, high - first, whole))


def noise(snr_db: float, good_db: float, best_db: float) -> Scale:
    """Decibels of speech above the noise, from 0 to the best that there is."""
    return Scale(at(snr_db / best_db), stretch(good_db, best_db, best_db))


def clipping(ratio: float, limit: float) -> Scale:
    """The share of cut samples, by powers of ten."""

    def place(share: float) -> float:
        return log10(max(share, _LEAST_CLIPPED) / _LEAST_CLIPPED) / _CLIPPED_DECADES

    return Scale(at(place(ratio)), stretch(0.0, place(limit)))


def waveform(envelope: Sequence[float]) -> str:
    """The outline of the sound around the middle line, its loudest point at the edges."""
    if not envelope:
        return ""
    loudest = max(envelope) or 1.0
    step = WIDTH / len(envelope)
    places = [(_text((i + 0.5) * step), value / loudest * (HEIGHT / 2 - _PAD)) for i, value in enumerate(envelope)]
    upper = [f"{x} {_text(HEIGHT / 2 - reach)}" for x, reach in places]
    lower = [f"{x} {_text(HEIGHT / 2 + reach)}" for x, reach in reversed(places)]
    return "M" + "L".join(upper + lower) + "Z"


def spans(outline: Mapping[str, Any]) -> list[Stretch]:
    return [stretch(start, finish, outline["seconds"]) for start, finish in outline["speech"]]


def pitch(values: Sequence[float | None]) -> Pitch | None:
    """Pitch over time on a logarithmic axis, broken where there is none."""
    known = [value for value in values if value]
    if not known:
        return None
    low, high = log2(min(known)), log2(max(known))
    spare = max(_FEWEST_OCTAVES - (high - low), 0.0) / 2
    lowest = max(round(2 ** (low - spare) / _STEP) * _STEP, _STEP)
    highest = round(2 ** (high + spare) / _STEP + 0.5) * _STEP
    base, reach = log2(lowest), log2(highest) - log2(lowest)
    step = WIDTH / len(values)
    pieces, pen = [], "M"
    for i, value in enumerate(values):
        if value:
            height = _PAD + (HEIGHT - 2 * _PAD) * min(max((log2(value) - base) / reach, 0.0), 1.0)
            # A dot of no length, so that a value between two gaps is seen.
            pieces.append(f"{pen}{_text((i + 0.5) * step)} {_text(HEIGHT - height)}" + ("h0" if pen == "M" else ""))
        pen = "L" if value else "M"
    return Pitch("".join(pieces), int(lowest), int(highest))


def series(
    points: Iterable[tuple[float, float]], low: float | None, high: float | None, median: float | None
) -> Series:
    """Points (share of the width, value 0..1), the last of them the reading that the page is about."""
    places = [f"{_text(_PAD + x * (WIDTH - 2 * _PAD))} {_height(value)}" for x, value in points]
    known = low is not None and high is not None and median is not None
    return Series(
        line="M" + "L".join(places),
        dots="".join(f"M{place}h0" for place in places[:-1]),
        last=f"M{places[-1]}h0",
        band_y=_height(high) if known else "",
        band_height=_text((high - low) * (HEIGHT - 2 * _PAD)) if known else "",  # type: ignore[operator]
        median_y=_height(median) if known else "",
    )


def _height(value: float | None) -> str:
    return _text(HEIGHT - _PAD - (value or 0.0) * (HEIGHT - 2 * _PAD))


def _text(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")

"""Small line plots as SVG text, without a library: the same bytes for the same figures on every machine.

Every plot brings its own white ground, so that it can be read on a dark page too; series differ by colour and by
dash, and a title and a description are there for those who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]
Band = tuple[float, float, float]  # x, low, high
Range = tuple[float, float]

WIDTH, HEIGHT = 480, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 16, 40, 60  # margins
_LEGEND_ROW = 16
_INK, _PALE, _GRID = "#222222", "#555555", "#dddddd"
# M. Okabe and K. Ito's colours, which the colour-blind tell apart; each pairs with a dash of its own.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#8a5a83", "#767676", "#000000")
_DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 4", "1 2")


@dataclass(frozen=True, slots=True)
class Series:
    """One named line through `points` in data units; `step` draws it as stairs, `marks` puts a dot on each point.

    `band` is a shaded area around it. Points that are not finite are left out.
    """

    name: str
    points: Sequence[Point]
    step: bool = False
    marks: bool = False
    band: Sequence[Band] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """What a line plot shows. `description` tells in words what the lines say; ranges are in data units."""

    title: str
    description: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_range: Range
    y_range: Range = (0.0, 1.0)


def svg(plot: Plot) -> str:
    """The plot as an SVG document that ends with a line break. ValueError on an empty range."""
    for low, high in (plot.x_range, plot.y_range):
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"A plot cannot span {low} to {high}.")
    frame = _Frame(plot)
    size = f'width="{WIDTH}" height="{frame.height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {frame.height}" role="img"',
        f' aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">',
        f'<title id="title">{escape(plot.title)}</title>',
        f'<desc id="desc">{escape(plot.description)}</desc>',
        f'<rect {size} fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14" font-weight="600">{escape(plot.title)}</text>',
        *frame.axes(),
        *(part for place, series in enumerate(plot.series) for part in frame.band(series, place)),
        *(part for place, series in enumerate(plot.series) for part in frame.line(series, place)),
        *frame.legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round values inside a range: steps of 1, 2 or 5 times a power of ten, about `wanted` of them."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


class _Frame:
    """The drawing area of one plot."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.height = HEIGHT + _LEGEND_ROW * len(plot.series)

    def _x(self, value: float) -> str:
        low, high = self._plot.x_range
        return _number(_LEFT + (_inside(value, low, high) - low) / (high - low) * (WIDTH - _LEFT - _RIGHT))

    def _y(self, value: float) -> str:
        low, high = self._plot.y_range
        return _number(HEIGHT - _BOTTOM - (_inside(value, low, high) - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM))

    def axes(self) -> list[str]:
        bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
        parts = []
        for tick in ticks(*self._plot.x_range):
            x = self._x(tick)
            parts.append(f'<path d="M{x} {_TOP}V{bottom}" stroke="{_GRID}"/>')
            parts.append(f'<text x="{x}" y="{bottom + 17}" text-anchor="middle" fill="{_PALE}">{tick:g}</text>')
        for tick in ticks(*self._plot.y_range):
            y = self._y(tick)
            parts.append(f'<path d="M{_LEFT} {y}H{right}" stroke="{_GRID}"/>')
            parts.append(f'<text x="{_LEFT - 7}" y="{y}" dy="4" text-anchor="end" fill="{_PALE}">{tick:g}</text>')
        middle_x, middle_y = (_LEFT + right) // 2, (_TOP + bottom) // 2
        turned = f'transform="translate(15 {middle_y}) rotate(-90)" text-anchor="middle"'
        return [
            *parts,
            f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" stroke="{_INK}"/>',
            f'<text x="{middle_x}" y="{bottom + 38}" text-anchor="middle">{escape(self._plot.x_label)}</text>',
            f"<text {turned}>{escape(self._plot.y_label)}</text>",
        ]

    def band(self, series: Series, place: int) -> list[str]:
        known = [edge for edge in series.band if all(map(math.isfinite, edge))]
        if len(known) < 2:
            return []
        outline = [(x, high) for x, _, high in known] + [(x, low) for x, low, _ in reversed(known)]
        return [f'<path d="{self._path(outline)}Z" fill="{_style(place)[0]}" fill-opacity="0.15"/>']

    def line(self, series: Series, place: int) -> list[str]:
        known = [point for point in series.points if all(map(math.isfinite, point))]
        colour, dash = _style(place)
        drawn = self._path(known, series.step)
        parts = [f'<path d="{drawn}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'] if len(known) > 1 else []
        if series.marks:
            parts += [f'<circle cx="{self._x(x)}" cy="{self._y(y)}" r="3" fill="{colour}"/>' for x, y in known]
        return parts

    def legend(self) -> list[str]:
        parts = []
        for place, series in enumerate(self._plot.series):
            colour, dash = _style(place)
            y = HEIGHT + _LEGEND_ROW * place
            parts.append(f'<path d="M{_LEFT} {y}h30" stroke="{colour}" stroke-width="2"{dash}/>')
            parts.append(f'<text x="{_LEFT + 38}" y="{y + 4}">{escape(series.name)}</text>')
        return parts

    def _path(self, points: Sequence[Point], step: bool = False) -> str:
        """Path data; of points that fall on one place only the first is kept."""
        parts: list[str] = []
        last = ("", "")
        for x, y in ((self._x(x), self._y(y)) for x, y in points):
            if (x, y) == last:
                continue
            if not parts:
                parts.append(f"M{x} {y}")
            elif step and x != last[0] and y != last[1]:
                parts.append(f"H{x}V{y}")
            else:
                parts.append(f"L{x} {y}")
            last = (x, y)
        return "".join(parts)


def _style(place: int) -> tuple[str, str]:
    dash = _DASHES[place % len(_DASHES)]
    return _COLOURS[place % len(_COLOURS)], f' stroke-dasharray="{dash}"' if dash else ""


def _inside(value: float, low: float, high: float) -> float:
    """What lies outside the range is drawn on its edge."""
    return min(max(value, low), high)


def _number(value: float) -> str:
    """A coordinate in tenths of a pixel: what another processor rounds otherwise does not show."""
    return f"{round(value, 1) + 0.0:g}"

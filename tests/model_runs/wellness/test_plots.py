"""Plots as SVG: well formed, readable by machine and by ear, the same bytes for all but equal figures."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from apps.model_runs.wellness.training.plots import Plot, Series, svg, ticks

SVG = "{http://www.w3.org/2000/svg}"
PLOT = Plot(
    title="ROC: stress <held out> & more",
    description="The curve runs above the diagonal.",
    x_label="false alarms",
    y_label="found",
    series=(
        Series("model", [(0, 0), (0.1, 0.6), (1, 1)], step=True, band=[(0, 0, 0.1), (0.5, 0.6, 0.9), (1, 1, 1)]),
        Series("chance", [(0, 0), (1, 1)]),
        Series("bins", [(0.2, 0.25), (float("nan"), 0.5), (0.8, 0.7)], marks=True),
    ),
    x_range=(0, 1),
)


def drawn(plot: Plot) -> ET.Element:
    return ET.fromstring(svg(plot))  # noqa: S314  (our own text)


def test_the_plot_is_xml_with_a_title_a_description_and_every_name() -> None:
    root = drawn(PLOT)
    assert root.findtext(f"{SVG}title") == PLOT.title
    assert root.findtext(f"{SVG}desc") == PLOT.description
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"model", "chance", "bins", "false alarms", "found", PLOT.title} <= set(texts)


def test_it_has_a_ground_of_its_own_for_dark_pages() -> None:
    ground = drawn(PLOT).find(f"{SVG}rect")
    assert ground is not None
    assert ground.get("fill") == "#ffffff"
    assert ground.get("width") == drawn(PLOT).get("width")


def test_steps_bands_and_marks_are_drawn_and_gaps_left_out() -> None:
    root = drawn(PLOT)
    paths = [path.get("d", "") for path in root.iter(f"{SVG}path")]
    assert any("H" in path and "V" in path and path.count("V") > 1 for path in paths)
    assert sum(path.endswith("Z") for path in paths) == 1
    assert len(list(root.iter(f"{SVG}circle"))) == 2
    assert "nan" not in svg(PLOT)


def test_no_two_series_rest_on_colour_alone() -> None:
    lines = [path for path in drawn(PLOT).iter(f"{SVG}path") if path.get("stroke-width") == "2"]
    looks = {(path.get("stroke"), path.get("stroke-dasharray")) for path in lines}
    assert len(looks) == 3
    assert len({dash for _, dash in looks}) == 3


def test_figures_that_differ_in_the_last_digits_give_the_same_bytes() -> None:
    moved = replace(PLOT, series=(Series("model", [(x + 1e-12, y - 1e-12) for x, y in [(0, 0), (0.13, 0.6), (1, 1)]]),))
    exact = replace(PLOT, series=(Series("model", [(0, 0), (0.13, 0.6), (1, 1)]),))
    assert svg(moved) == svg(exact)
    assert "-0 " not in svg(exact)


def test_what_lies_outside_the_range_stays_inside_the_frame() -> None:
    outside = replace(PLOT, series=(Series("model", [(-5, -5), (9, 9)]),))
    inside = replace(PLOT, series=(Series("model", [(0, 0), (1, 1)]),))
    assert svg(outside) == svg(inside)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (10, 60, [10, 20, 30, 40, 50, 60]),
        (0, 0.03, [0, 0.01, 0.02, 0.03]),
        (-3.2, 3.1, [-2, 0, 2]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="span 1 to 1"):
        svg(replace(PLOT, x_range=(1, 1)))

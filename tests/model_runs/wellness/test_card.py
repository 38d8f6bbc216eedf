"""The model card stands beside its figures: what is committed is what they make, and no figure is left out."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

from apps.model_runs.wellness.model import SHIPPED_VERSION
from apps.model_runs.wellness.scores import SCORES
from apps.model_runs.wellness.training.card import card
from apps.model_runs.wellness.training.card_aims import aims
from apps.model_runs.wellness.training.card_markdown import markdown, reflowed
from apps.model_runs.wellness.training.card_tables import Table, voice_tables
from apps.model_runs.wellness.training.card_words import word_tables
from apps.model_runs.wellness.training.fit import TARGETS
from apps.model_runs.wellness.training.report import report
from apps.model_runs.wellness.training.reproduce import EVALUATION_PATH
from tests.project.checkout import ROOT

DOCS = ROOT / "docs"
EVALUATION = json.loads(EVALUATION_PATH.read_text())
PAGE = "model-card.md"


def figures(value: Any) -> Iterator[tuple[Any, str | int]]:
    """Every number as its container and its key or place, without the points of curves and the bounds of ranges."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict | list):
            yield from figures(item) if key != "roc" else ()
        elif isinstance(item, int | float) and key not in ("from", "to"):
            yield value, key


def tables(evaluation: Any) -> list[Table]:
    return [*voice_tables(evaluation["voice"]), *word_tables(evaluation["words"]), aims(evaluation)]


def told(evaluation: Any) -> str:
    return " ".join(card(evaluation, "sheet")["sheet.md"].split())


def test_the_committed_card_is_what_the_committed_figures_make() -> None:
    made = card(EVALUATION, "model-card")
    pages = [DOCS / PAGE, *DOCS.glob("model-card/*")]
    committed = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in pages}
    different = sorted(name for name in made.keys() | committed.keys() if made.get(name) != committed.get(name))
    assert different == [], "run manage.py reproduce_wellness_model --card-only"


def test_the_figures_are_of_the_shipped_model() -> None:
    assert EVALUATION["version"] == SHIPPED_VERSION, "run manage.py reproduce_wellness_model"
    assert list(EVALUATION["voice"]["heads"]) == list(TARGETS)
    assert EVALUATION["version"] in card(EVALUATION, "model-card")[PAGE].splitlines()[0]


def test_the_report_shows_every_figure() -> None:
    evaluation = copy.deepcopy(EVALUATION)
    whole = report(evaluation)
    unseen = []
    count = 0
    for container, key in figures(evaluation):
        kept = container[key]
        container[key] += 7 if isinstance(kept, int) else 0.31
        if report(evaluation) == whole:
            unseen.append(key)
        container[key] = kept
        count += 1
    assert unseen == []
    assert count > 500


def test_the_card_shows_every_table_of_the_report_and_the_number_of_units() -> None:
    page = card(EVALUATION, "model-card")[PAGE]
    assert [table.title for table in tables(EVALUATION) if markdown(table) not in page] == []
    for count in EVALUATION["voice"]["units"].values():
        assert f" {count} " in page


def test_every_row_of_a_table_fills_its_columns() -> None:
    blocks = card(EVALUATION, "model-card")[PAGE].split("\n\n")
    set_out = [block.splitlines() for block in blocks if block.startswith("|")]
    assert len(set_out) == len(tables(EVALUATION)) + 2  # what scores rest on, and the sources
    assert all(len({line.count("|") for line in lines}) == 1 for lines in set_out)
    for table in tables(EVALUATION):
        assert {len(row) for row in table.rows} == {len(table.head)}, table.title
        assert not any("|" in cell for row in table.rows for cell in row), table.title


def test_a_curve_is_drawn_and_every_plot_is_well_formed_and_shown_with_a_description() -> None:
    made = card(EVALUATION, "sheet")
    drawn = {name: text for name, text in made.items() if name.endswith(".svg")}
    assert len(drawn) == 4
    for name, text in drawn.items():
        assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  (our own text)
        assert f"]({name})" in made["sheet.md"]
    changed = copy.deepcopy(EVALUATION)
    changed["voice"]["heads"]["stress"]["roc"][1][1] = 0.5
    assert [name for name, text in card(changed, "sheet").items() if text != made[name]] == ["sheet/roc.svg"]


def test_the_card_says_where_a_head_is_no_better_than_pitch_and_whom_it_serves_worse() -> None:
    changed = copy.deepcopy(EVALUATION)
    heads = changed["voice"]["heads"]
    for head in heads.values():
        head["baselinePitchWithinSex"], head["aucWithinSex"] = 0.6, [0.9, 0.8, 0.95]
        head["bySex"] = {"FEMALE": {"auc": 0.9, "recordings": 9}, "MALE": {"auc": 0.85, "recordings": 9}}
    page = told(changed)
    assert "every head does better than median pitch alone" in page
    assert "between the sexes by more than 0.1: none" in page

    heads["exhaustion"]["baselinePitchWithinSex"] = 0.81
    heads["exhaustion"]["bySex"]["MALE"]["auc"] = 0.7
    page = told(changed)
    assert "median pitch alone lies inside or above the interval of exhaustion" in page
    assert "exhaustion (0.700 for men, 0.900 for women)" in page


def test_an_aim_that_is_missed_is_called_so() -> None:
    changed = copy.deepcopy(EVALUATION)
    changed["voice"]["heads"]["stress"]["disturbances"]["pink noise 10 dB"]["meanMove"] = 0.1001
    changed["words"]["neutralParagraphs"]["falseAlarms"] = dict.fromkeys(SCORES, 0.01)
    verdicts = {row[0]: row[-1] for row in aims(changed).rows}
    assert verdicts["noise at 10 dB raises stress by"] == "not met"
    assert verdicts["everyday paragraphs above the threshold"] == "met"
    assert verdicts["acted tension on three unseen corpora: AUC"] == "not measured here"


def test_a_figure_that_could_not_be_computed_is_a_dash() -> None:
    changed = copy.deepcopy(EVALUATION)
    changed["voice"]["heads"]["stress"]["bySex"]["MALE"]["auc"] = float("nan")
    assert "| - of " in card(changed, "sheet")["sheet.md"]


def test_text_is_filled_up_without_touching_tables_and_lists() -> None:
    assert reflowed("one\ntwo") == "one two"
    assert reflowed("- one\n  two\n- three") == "- one two\n- three"
    assert reflowed("   one\n   two\n2. three\n   four") == "   one two\n2. three four"
    assert reflowed("       code\n       more") == "       code\n       more"
    assert reflowed("| a |\n| - |") == "| a |\n| - |"
    assert max(map(len, reflowed("1. " + "word " * 100).splitlines())) <= 120
    assert reflowed("1. " + "word " * 100).splitlines()[1].startswith("   word")

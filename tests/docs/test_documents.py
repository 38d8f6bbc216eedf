"""What the documents say is true of the code, and their links lead somewhere in a checkout."""

from __future__ import annotations

import posixpath
import re

import pytest
from django.urls import Resolver404, resolve

from apps.api_keys.scopes import API_KEY_SCOPES
from apps.model_runs.pages.check_forms import LIFETIMES
from apps.model_runs.wellness.interface import ErrorCode
from apps.model_runs.wellness.scores import SCORES
from apps.webhooks.event_types import EVENT_TYPES
from helios_site.documentation.markdown import slug
from helios_site.documentation.pages import README
from helios_site.settings import ENV
from tests.docs.samples import DOCUMENTS, OF_CUSTOMERS
from tests.project.checkout import ROOT

TEXTS = {path: (ROOT / path).read_text() for path in DOCUMENTS}
BASES = {"/v1/", "/ext-api/v1/"}


def first_column(path: str, title: str) -> list[str]:
    """The names in the table whose first column has that title."""
    [table] = re.findall(rf"^\| {title} \| .*\n\| --- .*\n((?:\|.*\n)+)", TEXTS[path], re.MULTILINE)
    return [re.findall(r"`([^`]+)`", row.split("|")[1])[0] for row in table.splitlines()]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_link_into_the_repository_leads_somewhere(path: str) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", TEXTS[path]):
        linked = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) if target else path
        text = (ROOT / linked).read_text()
        headings = {slug(re.sub(r"[`*]", "", line)) for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
        assert not anchor or anchor in headings, f"{linked} has no heading for #{anchor}"


def test_every_path_that_is_named_is_served() -> None:
    paths = {
        path
        for text in TEXTS.values()
        for path in re.findall(r"`(?:[A-Z]+ )?(/[a-z][a-zA-Z0-9/{}._-]*)[`?]", text)
        if "/" in path[1:] or path[1:].isalpha()
    } - BASES
    assert {"/readyz", "/v1/account", "/v1/models/mental-wellness/{id}", "/fhir/Observation"} <= paths
    unknown = []
    for path in paths:
        try:
            resolve(re.sub(r"\{\w+\}", "4f7c3b1e-6a0e-4c9e-8b53-0a6f1d2c3b4a", path))
        except Resolver404:
            unknown.append(path)
    assert unknown == []


def test_every_variable_that_is_named_exists() -> None:
    named = {name for text in TEXTS.values() for name in re.findall(r"\bHELIOS_[A-Z0-9_]+", text)}
    assert named - OF_CUSTOMERS <= set(ENV.declared)


def test_the_tables_are_those_of_the_code() -> None:
    assert set(first_column("docs/keys.md", "scope")) == set(API_KEY_SCOPES)
    assert first_column("docs/integration.md", "event") == list(EVENT_TYPES)
    assert set(first_column("docs/integration.md", "`errorCode`")) == {code.value for code in ErrorCode}
    assert set(first_column("docs/results.md", "score")) == set(SCORES)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (README, "not a medical device"),
        (README, "No recording of the shipped model was labelled with a real person's state"),
        (README, "The image is\nnot built in our CI"),
        (README, "Whoever has the file has everything"),
        ("docs/results.md", "wellness aid and no diagnosis"),
        ("docs/results.md", "repeatability, not accuracy"),
        ("docs/results.md", "silence is no sign of safety"),
        ("docs/quick-start.md", "They are no diagnosis"),
    ],
)
def test_they_say_what_they_must(path: str, sentence: str) -> None:
    assert sentence in TEXTS[path]


@pytest.mark.parametrize("path", ["docs/keys.md", "docs/integration.md"])
def test_how_long_a_link_lasts_is_said_with_the_choice_of_whoever_makes_it(path: str) -> None:
    assert len(LIFETIMES) > 1  # which they choose from
    said = [part for part in TEXTS[path].split("\n\n") if re.search(r"(?i)activity ?link", part) and "an hour" in part]
    assert len(said) == 1
    assert re.search(r"an\s+hour,?\s+or\s+as\s+long\s+as\s+\w+", said[0])

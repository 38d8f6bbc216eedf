"""Every sample of the documentation is looked after, the Python ones run, and those for a terminal name what exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from helios_site.settings import ENV
from tests.conftest import RECORDINGS
from tests.docs.samples import (
    DOCUMENTS,
    LANGUAGES,
    OF_CUSTOMERS,
    PRINTED,
    Customer,
    customer,
    in_language,
    run_samples,
    samples,
)
from tests.project.checkout import ROOT

__all__ = ["customer"]  # a fixture

SHOWN = {"console", "json", "html"}  # to be read, or typed in an installation


def test_every_sample_has_a_result_that_is_looked_for() -> None:
    found = {(path, language): len(samples(path, language)) for path in DOCUMENTS for language in LANGUAGES}
    assert {page: number for page, number in found.items() if number} == {
        page: len(patterns) for page, patterns in PRINTED.items()
    }


def test_no_block_escapes_by_its_language() -> None:
    for path in DOCUMENTS:
        languages = re.findall(r"^ *```(.*)$", (ROOT / path).read_text(), re.MULTILINE)[::2]
        assert set(languages) <= {*LANGUAGES, *SHOWN}, path


@RECORDINGS
@pytest.mark.parametrize("document", in_language("python"))
def test_the_python_samples_do_what_they_say(worker: Path, customer: Customer, document: str) -> None:
    run_samples(document, "python", customer)


# -- what is typed in an installation -----------------------------------------------------------------------


def commands_of(text: str) -> Iterator[list[str]]:
    """The commands of a block, a line each, with those in `$(…)` for themselves."""
    for line in text.replace("\\\n", " ").splitlines():
        yield from (shlex.split(inner) for inner in re.findall(r"\$\((.+?)\)", line))
        words = shlex.split(re.sub(r"\$\(.+?\)", "…", line), comments=True)
        if words:
            yield words


def _make(words: list[str]) -> None:
    assert re.search(rf"^{words[0]}:(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE), words


def _manage(words: list[str]) -> None:
    assert words[0] == "manage.py"
    name, *arguments = words[1:]
    load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(arguments)


def _export(words: list[str]) -> None:
    assert words[0].partition("=")[0] in OF_CUSTOMERS | set(ENV.declared), words


def _docker(words: list[str]) -> None:
    assert words[0] == "compose"
    if words[1] == "exec":
        services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        assert words[2] in services
        assert words[3] == "python"
        _manage(words[4:])
    else:
        assert words[1:] == ["up", "--build", "--detach"]


def _pip(words: list[str]) -> None:
    assert words[0] == "install"
    assert (ROOT / words[1] / "pyproject.toml").is_file()


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "make": _make,
    ".venv/bin/python": _manage,
    "export": _export,
    "docker": _docker,
    "pip": _pip,
}


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if samples(path, "console")])
def test_commands_for_a_terminal_exist(document: str) -> None:
    for text in samples(document, "console"):
        for program, *words in commands_of(text):
            CHECKS[program](words)

"""The README is true: its table of settings, its commands, and its samples, which really run."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve

from helios_site.settings import ENV
from tests.conftest import RECORDINGS
from tests.project.checkout import ROOT

README = (ROOT / "README.md").read_text()
OF_EVERY_COMMAND = {
    "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color",
    "--skip-checks",
}  # fmt: skip
OF_THE_SAMPLES = {"HELIOS_URL", "HELIOS_KEY"}


def our_commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app.startswith(("apps.", "helios_site")))


def samples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def sample(language: str, containing: str) -> str:
    [found] = [text for text in samples(language) if containing in text]
    return found


# -- tables -----------------------------------------------------------------------------------------------


def test_the_table_of_settings_is_what_the_code_reads() -> None:
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| (.+?) \| (.+) \|$", README, re.MULTILINE)
    written = {name: "" if default == "empty" else default.strip("`") for name, default, _ in rows}
    assert len(written) == len(rows), "a variable stands twice in the table"
    assert written == ENV.declared


def test_every_variable_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"\bHELIOS_[A-Z0-9_]+", README))
    assert named - OF_THE_SAMPLES <= set(ENV.declared)


@pytest.mark.parametrize("name", our_commands())
def test_every_command_is_explained_with_all_its_options(name: str) -> None:
    assert re.search(rf"(manage\.py|make) {name}\b", README), f"{name} has no example"
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    missing = [option for option in options - OF_EVERY_COMMAND if not re.search(rf"{option}\b", README)]
    assert missing == []


def test_every_make_target_has_a_row_and_every_row_a_target() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    rows = set(re.findall(r"^\| `make ([a-z-]+)` \|", README, re.MULTILINE))
    assert rows == targets


def test_every_example_of_a_command_is_accepted_by_its_parser() -> None:
    examples = re.findall(r"manage\.py ((?!COMMAND)[a-z_]+ [^`\n]+?)(?:`|\)$|$)", README, re.MULTILINE)
    assert len(examples) >= 5
    for example in examples:
        name, *arguments = shlex.split(example.rstrip(")"))
        load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(arguments)


def test_every_link_into_the_repository_leads_somewhere() -> None:
    for page in (README, (ROOT / "docs" / "licences.md").read_text()):
        folder = ROOT if page is README else ROOT / "docs"
        for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page):
            linked = (folder / target).read_text() if target else page
            headings = {re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in _headings(linked)}
            assert not anchor or anchor in headings, f"no heading for #{anchor}"


def _headings(page: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", page, re.MULTILINE)


def test_every_path_that_the_readme_names_is_served() -> None:
    paths = set(re.findall(r"`(?:[A-Z]+ )?(/[a-z][a-zA-Z0-9/{}._-]*)`", README)) - {"/v1/"}
    assert {"/readyz", "/v1/account", "/v1/models/mental-wellness/{id}"} <= paths
    unknown = []
    for path in paths:
        try:
            resolve(path.replace("{id}", "4f7c3b1e-6a0e-4c9e-8b53-0a6f1d2c3b4a"))
        except Resolver404:
            unknown.append(path)
    assert unknown == []


def test_the_readme_says_what_it_must() -> None:
    for sentence in (
        "not a medical device",
        "No recording of it was labelled with a real person's state",
        "The image is\nnot built in our CI",
        "Whoever has the file has everything",
    ):
        assert sentence in README, sentence


# -- samples ----------------------------------------------------------------------------------------------


@pytest.fixture
def customer(
    transactional_db: None,
    live_server: object,
    make_key: Callable[..., tuple[object, str]],
    settings: object,
    tmp_path: Path,
) -> tuple[dict[str, str], Path]:
    """The environment and the folder of somebody who follows the README: a server, a key, a recording."""
    settings.HELIOS_PUBLIC_BASE_URL = live_server.url  # type: ignore[attr-defined]
    spec = importlib.util.find_spec("moonshine_voice")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    shutil.copy(Path(spec.submodule_search_locations[0]) / "assets" / "two_cities.wav", tmp_path / "recording.wav")
    given = {"HELIOS_URL": live_server.url, "HELIOS_KEY": make_key()[1], "NO_PROXY": "*"}  # type: ignore[attr-defined]
    return {"PATH": os.environ["PATH"], **given}, tmp_path


@RECORDINGS
def test_the_python_sample_prints_transcript_and_score(worker: Path, customer: tuple[dict[str, str], Path]) -> None:
    environment, folder = customer
    command = [sys.executable, "-c", sample("python", "mentalStrain")]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    transcript, score = ran.stdout.splitlines()
    assert "it was the best of times" in re.sub(r"[^a-z ]", "", transcript.lower())
    name, value = score.rsplit(" ", 1)
    assert name == "mental strain"
    assert 0 <= float(value) <= 1


def test_the_curl_sample_names_the_organisation_and_starts_a_run(customer: tuple[dict[str, str], Path]) -> None:
    environment, folder = customer
    environment["PATH"] = os.pathsep.join([environment["PATH"], str(_curl_stand_in(folder))])
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", sample("sh", "--upload-file")],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    account, run = re.findall(r"\{.*?\}(?=\{|\s*$)", ran.stdout, re.DOTALL)
    assert '"helios"' in account
    assert '"status":"RUNNING"' in run.replace(" ", "")


def _curl_stand_in(folder: Path) -> Path:
    """A folder with a `curl` that knows the options of the sample, for machines that have none."""
    programs = folder / "programs"
    programs.mkdir()
    script = programs / "curl"
    script.write_text(f"#!{sys.executable}\n{_CURL}")
    script.chmod(0o755)
    return programs


_CURL = """
import argparse, pathlib, sys, urllib.request
parser = argparse.ArgumentParser()
parser.add_argument("--silent", action="store_true")
parser.add_argument("--header", action="append", default=[])
parser.add_argument("--data")
parser.add_argument("--upload-file", type=pathlib.Path)
parser.add_argument("url")
given = parser.parse_args()
body = given.upload_file.read_bytes() if given.upload_file else given.data.encode() if given.data else None
method = "PUT" if given.upload_file else "POST" if body else "GET"
headers = dict(line.split(": ", 1) for line in given.header)
with urllib.request.urlopen(urllib.request.Request(given.url, body, headers, method=method)) as response:
    sys.stdout.buffer.write(response.read())
"""


def test_the_env_file_of_the_compose_section_has_every_secret(tmp_path: Path) -> None:
    subprocess.run(
        ["bash", "-eu", "-c", sample("sh", "HELIOS_METRICS_TOKEN; do")], cwd=tmp_path, check=True, timeout=60
    )
    made = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    required = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert required <= set(made)
    assert set(made) - required == {"HELIOS_METRICS_TOKEN"}
    assert all(len(value) == 64 for name, value in made.items() if name != "HELIOS_PUBLIC_BASE_URL")
    assert len(set(made.values())) == len(made)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0

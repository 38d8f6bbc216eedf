"""The README is true: its tables of settings and of commands, with every option of each."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from helios_site.settings import ENV
from tests.docs.samples import samples
from tests.project.checkout import ROOT

README = (ROOT / "README.md").read_text()
OF_EVERY_COMMAND = {
    "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color",
    "--skip-checks",
}  # fmt: skip


def our_commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app.startswith(("apps.", "helios_site")))


# -- tables -----------------------------------------------------------------------------------------------


def test_the_table_of_settings_is_what_the_code_reads() -> None:
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| (.+?) \| (.+) \|$", README, re.MULTILINE)
    written = {name: "" if default == "empty" else default.strip("`") for name, default, _ in rows}
    assert len(written) == len(rows), "a variable stands twice in the table"
    assert written == ENV.declared


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


def test_the_env_file_of_the_compose_section_has_every_secret(tmp_path: Path) -> None:
    [script] = [text for text in samples("README.md", "sh") if "HELIOS_METRICS_TOKEN; do" in text]
    subprocess.run(["bash", "-eu", "-c", script], cwd=tmp_path, check=True, timeout=60)
    made = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    required = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert required <= set(made)
    assert set(made) - required == {"HELIOS_METRICS_TOKEN"}
    assert all(len(value) == 64 for name, value in made.items() if name != "HELIOS_PUBLIC_BASE_URL")
    assert len(set(made.values())) == len(made)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0

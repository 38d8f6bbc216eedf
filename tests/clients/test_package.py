"""The package as others install it: what it says of itself, and that it stands alone."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib import import_module

import helios_client
from helios_client import AsyncClient, Client
from helios_client.operations import Operations
from tests.project.checkout import ROOT

PACKAGE = ROOT / "clients" / "python"
SOURCE = PACKAGE / "src" / "helios_client"
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]


def test_it_needs_httpx_alone() -> None:
    assert [line.split(">")[0] for line in PROJECT["dependencies"]] == ["httpx"]
    imported = set()
    for path in SOURCE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
    assert imported - set(sys.stdlib_module_names) == {"httpx", "helios_client"}


def test_it_is_typed_and_licensed_and_has_the_command() -> None:
    assert (SOURCE / "py.typed").is_file()
    assert PROJECT["license"] == "Apache-2.0"
    assert (PACKAGE / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    module, _, name = PROJECT["scripts"]["helios"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_all_public_names_are_there() -> None:
    assert len(set(helios_client.__all__)) == len(helios_client.__all__)
    assert all(hasattr(helios_client, name) for name in helios_client.__all__)


def test_both_clients_have_every_operation_with_its_documentation() -> None:
    names = {name for name in vars(Operations) if not name.startswith("_")}
    assert len(names) == 15
    for client in (Client, AsyncClient):
        assert {name for name in names if getattr(client, name).__doc__ == getattr(Operations, name).__doc__} == names
    readme = (PACKAGE / "README.md").read_text()
    assert [name for name in sorted(names) if f"`{name}`" not in readme and f"helios.{name}(" not in readme] == []

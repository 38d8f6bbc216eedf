"""The refusals of machines that Helios does not run on: one clear line each, before anything is installed."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helios_site.runtime import supported
from helios_site.runtime.datadir import CHECKOUT
from helios_site.runtime.supported import UnsupportedError


def test_this_machine_is_supported():
    supported.check()


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 14, 0)])
def test_other_pythons_are_refused(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int]):
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(UnsupportedError, match=rf"needs Python 3.11, 3.12 or 3.13; this is 3\.{version[1]}\.$"):
        supported.check()


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "riscv64"), ("win32", "AMD64")])
def test_other_machines_are_refused(monkeypatch: pytest.MonkeyPatch, system: str, machine: str):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(UnsupportedError, match=f"Linux with x86_64 or aarch64; this is {system} on {machine}"):
        supported.check()


@pytest.mark.parametrize(("library", "named"), [("glibc 2.31", "glibc 2.31"), ("", "another C library")])
def test_other_c_libraries_are_refused(monkeypatch: pytest.MonkeyPatch, library: str, named: str):
    monkeypatch.setattr(os, "confstr", lambda _name: library)
    with pytest.raises(UnsupportedError, match=rf"needs glibc 2.34 or newer; this system has {named}\.$"):
        supported.check()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of the checkout as `make install` reads before it installs."""
    (tmp_path / "helios_site" / "runtime").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "helios_site/runtime/supported.py"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def make_install(checkout: Path, python: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.defpath}
    return subprocess.run(
        ["make", "install", f"PYTHON={python}"], cwd=checkout, env=environ, capture_output=True, text=True
    )


def stand_in(checkout: Path, fails: str) -> str:
    """A Python that fails to run code that mentions `fails`."""
    script = checkout / "python"
    script.write_text(f'#!/bin/sh\ncase "$2" in *"{fails}"*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(
    ("fails", "line"),
    [
        ("version_info", "Helios needs Python 3.11, 3.12 or 3.13; not found among: {python}."),
        (
            "ensurepip",
            "{python} cannot make a virtual environment; on Debian and Ubuntu, install the package python3-venv.",
        ),
    ],
)
def test_make_says_in_one_line_what_is_missing(checkout: Path, fails: str, line: str):
    python = stand_in(checkout, fails)
    done = make_install(checkout, python)
    said = [text for text in done.stderr.splitlines() if not text.startswith("make")]
    assert done.returncode == 2
    assert said == [line.format(python=python)]
    assert not (checkout / ".venv").exists()

"""The locks: complete, checked by hash, and free of what must not come along."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from release import lock
from tests.project.checkout import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
# Each would be pulled by a package whose weights or functions are used without it (overrides.txt).
UNWANTED = re.compile(r"torch|nvidia-|sounddevice|sentence-transformers|triton|huggingface-hub")


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[=<>~; ]", line)[0].lower().replace("_", "-") for line in requirements}


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_and_has_hashes(name: str) -> None:
    entries = lock.read(ROOT / name)  # refuses a line that is no pinned package, hash or comment
    assert len(entries) > 50
    assert [entry.name for entry in entries if not entry.hashes] == []
    assert len({(entry.name, entry.version) for entry in entries}) == len(entries)


@pytest.mark.parametrize("name", LOCKS)
def test_nothing_unwanted_and_no_address_is_locked(name: str) -> None:
    assert [entry.name for entry in lock.read(ROOT / name) if UNWANTED.match(entry.name)] == []
    text = (ROOT / name).read_text()
    assert not re.search(r"://|^\s*--?[a-z-]*(index|find-links|trusted-host)| @ ", text, re.MULTILINE)


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"]
    locked = {entry.name: entry.version for entry in lock.read(ROOT / "requirements.lock")}
    assert names(asked) <= set(locked)
    pinned = {line.split("==")[0]: line.split("==")[1] for line in asked if "==" in line}
    assert {names([name]).pop(): version for name, version in pinned.items()}.items() <= locked.items()
    developers = {entry.name for entry in lock.read(ROOT / "requirements-dev.lock")}
    assert names(project["dependency-groups"]["dev"]) <= developers


def test_both_locks_agree() -> None:
    developers = {entry.name: entry.version for entry in lock.read(ROOT / "requirements-dev.lock")}
    for entry in lock.read(ROOT / "requirements.lock"):
        assert developers.get(entry.name, entry.version) == entry.version, entry.name


@pytest.mark.parametrize("line", ["--extra-index-url somewhere", "django", "django>=5", "./a-folder"])
def test_a_line_that_pins_nothing_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "lock"
    file.write_text(f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\n{line}\n")
    with pytest.raises(ValueError, match=r"neither a pinned package|pins no version"):
        lock.read(file)


def test_a_hash_of_another_kind_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    file.write_text(f"six==1.17.0 \\\n    --hash=md5:{'0' * 32}\n")
    assert lock.read(file)[0].hashes == ()


def test_a_package_stays_in_the_image_while_anything_kept_asks_for_it(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    digest = f"    --hash=sha256:{'0' * 64}\n"
    file.write_text(
        f"alone==1 \\\n{digest}    # via av\n"
        f"av==1 \\\n{digest}    # via helios (pyproject.toml)\n"
        f"below==1 \\\n{digest}    # via alone\n"
        f"kept==1 \\\n{digest}    # via helios (pyproject.toml)\n"
        f"shared==1 \\\n{digest}    # via\n    #   av\n    #   kept\n"
    )
    assert [entry.name for entry in lock.image_entries(lock.read(file))] == ["kept", "shared"]

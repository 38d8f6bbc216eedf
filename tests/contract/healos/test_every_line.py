"""Every numbered line of the contract's conformance list has a test that carries its number: `test_healos_64_…`."""

from __future__ import annotations

from tests.contract.helios.test_every_line import TESTS, names_in, numbers_of

LINES = 112
PREFIX = "test_healos_"


def test_every_line_has_a_test() -> None:
    folders = {path.parent for path in TESTS.rglob("test_*.py")}
    names = [name for folder in folders for name in names_in(folder) if name.startswith(PREFIX)]
    covered = set().union(*(numbers_of(name.replace(PREFIX, "test_")) for name in names))
    assert sorted(set(range(1, LINES + 1)) - covered) == []

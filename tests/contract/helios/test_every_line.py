"""Every numbered line of the contract's conformance list has a test that carries its number."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
LINES = 94
NOT_BUILT = {75, 76}  # Apollo
_NUMBERS = re.compile(r"test_(?:line_)?((?:\d+_)*?)(\d+)_(?:to_(\d+)_)?[a-z]")


def numbers_of(name: str) -> set[int]:
    """`test_18_…` → 18, `test_43_44_…` → 43 and 44, `test_41_to_59_…` → all of them."""
    found = _NUMBERS.match(name)
    if found is None:
        return set()
    first = int(found[2])
    last = int(found[3] or first)
    return {*map(int, filter(None, found[1].split("_"))), *range(first, last + 1)}


def names_in(folder: Path) -> Iterator[str]:
    for path in folder.glob("test_*.py"):
        tree = ast.parse(path.read_text())
        yield from (
            node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        )


def test_every_line_has_a_test() -> None:
    names = [*names_in(TESTS / "contract" / "helios"), *names_in(TESTS / "chaos")]
    covered = set().union(*map(numbers_of, names))
    assert sorted(set(range(1, LINES + 1)) - NOT_BUILT - covered) == []


def test_names_are_read_as_meant() -> None:
    assert numbers_of("test_18_user_label_of_50_characters") == {18}
    assert numbers_of("test_43_44_times") == {43, 44}
    assert numbers_of("test_41_to_43_states") == {41, 42, 43}
    assert numbers_of("test_64_thirty_seconds") == {64}
    assert numbers_of("test_numbers_become_text") == set()

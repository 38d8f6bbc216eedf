"""Files of others are copied in as they were released, under a licence that allows it, and one table lists them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from release import licences
from tests.project.checkout import ROOT, tracked_files

SHIPPED, TESTS = Path("static/vendor"), Path("tests/vendor")
MAY_SHIP = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0"}
MAY_TEST = MAY_SHIP | {"MPL-2.0"}
ROW = re.compile(r"^\| ((?:static|tests)/vendor/\S+) \| (\d\S*) \| (\S+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)


def rows() -> dict[Path, tuple[str, str]]:
    """Licence and SHA-256 of each file that the page lists."""
    found = {Path(name): (licence, digest) for name, _, licence, digest in ROW.findall(licences.PAGE.read_text())}
    assert found, f"{licences.PAGE} has no table of copied files"
    return found


def test_every_copied_file_is_listed_and_is_the_one_that_was_released() -> None:
    kept = [path for path in tracked_files() if path.is_relative_to(SHIPPED) or path.is_relative_to(TESTS)]
    digests = {path: hashlib.sha256((ROOT / path).read_bytes()).hexdigest() for path in kept}
    assert digests == {path: digest for path, (_, digest) in rows().items()}


def test_every_copied_file_is_under_a_licence_that_allows_it() -> None:
    refused = {
        str(path): licence
        for path, (licence, _) in rows().items()
        if licence not in (MAY_SHIP if path.is_relative_to(SHIPPED) else MAY_TEST)
    }
    assert refused == {}


def test_the_licence_lies_beside_every_copied_file() -> None:
    folders = {path.parent for path in rows()}
    assert [str(folder) for folder in folders if not (ROOT / folder / "LICENSE").is_file()] == []

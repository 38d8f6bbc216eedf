"""Rules of the house that a machine can check."""

from __future__ import annotations

import re
from pathlib import Path

from tests.project.checkout import ROOT, tracked_files

MOST_LINES = 400
VENDORED = (Path("static/vendor"), Path("tests/vendor"))
AUDIO = {".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".webm", ".mp4", ".m4a", ".aac", ".aiff"}
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}
# Patterns, none of which matches itself: this file is no finding of its own.
REGISTRIES = ["pypi\\.org", "pythonhosted\\.org", "npmjs\\.org", "ghcr\\.io", "docker\\.io", "crates\\.io"]
MACHINE_PATHS = ["/[w]ork/", "/[r]oot/", "/[h]ome/"]
FORBIDDEN = re.compile("|".join([*REGISTRIES, *MACHINE_PATHS]))


def texts() -> dict[Path, str]:
    found = {}
    for path in tracked_files():
        if any(path.is_relative_to(folder) for folder in VENDORED):
            continue
        try:
            found[path] = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
    return found


def test_no_source_file_is_longer_than_one_reads() -> None:
    long = {str(path): text.count("\n") for path, text in texts().items() if path.suffix == ".py"}
    assert {path: lines for path, lines in long.items() if lines > MOST_LINES} == {}
    assert len(long) > 50


def test_no_file_names_this_machine_or_a_registry() -> None:
    assert FORBIDDEN.search("see https://pypi" + ".org/simple")
    found = {str(path): match[0] for path, text in texts().items() if (match := FORBIDDEN.search(text))}
    assert found == {}


def test_no_folder_or_module_has_a_name_that_says_nothing() -> None:
    parts = {(part.split(".")[0], str(path)) for path in tracked_files() for part in path.parts}
    assert [path for part, path in parts if part in NAMES_THAT_SAY_NOTHING] == []


def test_no_recording_is_kept() -> None:
    assert [str(path) for path in tracked_files() if path.suffix.lower() in AUDIO] == []


def test_no_secret_file_is_kept() -> None:
    kept = {path.name for path in tracked_files()}
    assert not kept & {".env", "secrets.json", "db.sqlite3"}

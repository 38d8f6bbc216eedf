"""One log file for each process, with a bound on its size."""

from __future__ import annotations

import shutil
from pathlib import Path

MAX_BYTES = 10_000_000


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log file, indented for the terminal."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            lines = file.read().decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        lines = []
    return "\n".join(f"    {line}" for line in lines)


def bound(folder: Path) -> None:
    """Move what is in a full log to `<name>.log.1` and empty it in place.

    The process keeps its open file (it appends, so it goes on at the new end) and needs no signal. A line
    written between the copy and the emptying is lost; what must not be lost, the audit, is in the database.
    """
    for log in folder.glob("*.log"):
        if log.stat().st_size > MAX_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            with log.open("r+b") as file:
                file.truncate(0)

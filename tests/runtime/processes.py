"""Finding the processes of a data directory from outside, by what the kernel knows of them."""

from __future__ import annotations

import os
import time
from pathlib import Path


def of(folder: Path) -> dict[int, str]:
    """Command lines of the processes that were given `folder` as their data directory or work inside it."""
    marker = f"HELIOS_DATA_DIR={folder}".encode()
    found = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes().split(b"\0")
            works_inside = Path(os.readlink(f"{entry.path}/cwd")).is_relative_to(folder)
            arguments = Path(entry.path, "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if marker in environment or works_inside or str(folder) in arguments:
            found[int(entry.name)] = arguments
    return found


def wait_for_none(folder: Path, seconds: float) -> dict[int, str]:
    """What is left of the folder's processes, at the latest after `seconds`; empty is what one hopes for."""
    deadline = time.monotonic() + seconds
    while (left := of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left

"""Whether Helios runs on this machine; `make` runs this file before anything is installed.

It must be readable by every Python that may be called `python3`, so it uses no syntax newer than 3.6 (not
even the future annotations) and imports nothing of Helios.
"""

import os
import platform
import sys

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
OLDEST_GLIBC = (2, 34)
MACHINES = ("x86_64", "aarch64")


class UnsupportedError(Exception):
    """Helios does not run here; the message is one line that says what it needs."""


def check() -> None:
    """Raise UnsupportedError unless this is Linux on a known processor, with a fitting glibc and Python."""
    version = sys.version_info[:2]
    if not OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        raise UnsupportedError(f"Helios needs Python 3.11, 3.12 or 3.13; this is {version[0]}.{version[1]}.")
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        raise UnsupportedError(
            f"Helios runs on Linux with x86_64 or aarch64; this is {sys.platform} on {platform.machine()}."
        )
    library, _, number = c_library().partition(" ")
    if library != "glibc" or tuple(map(int, number.split(".")[:2])) < OLDEST_GLIBC:
        raise UnsupportedError(
            f"Helios needs glibc 2.34 or newer; this system has {c_library() or 'another C library'}."
        )


def c_library() -> str:
    """Name and version of the C library, such as `glibc 2.36`; empty when it is not glibc."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):
        return ""


if __name__ == "__main__":
    try:
        check()
    except UnsupportedError as refusal:
        sys.exit(str(refusal))

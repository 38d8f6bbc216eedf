"""The Chromium of this machine. As a program: ends with one line that says what to install when there is none."""

from __future__ import annotations

import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "The browser tests need Chromium; on Debian and Ubuntu, install the package chromium."
ARGUMENTS = (
    "--no-sandbox",  # as root, and in most containers, Chromium does not start with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def program() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


if __name__ == "__main__" and program() is None:
    sys.exit(MISSING)

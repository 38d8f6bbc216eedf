"""What the browser tests need of this machine. As a program: ends with one line that says what to install."""

from __future__ import annotations

import shutil
import sys

from tests.browser import chromium


def missing() -> list[str]:
    """Packages of Debian and Ubuntu. Samples of the documentation are run by curl and Node."""
    found = {"chromium": chromium.program(), "curl": shutil.which("curl"), "nodejs": shutil.which("node")}
    return [package for package, program in found.items() if program is None]


if __name__ == "__main__" and (packages := missing()):
    sys.exit(f"The browser tests need more programs; on Debian and Ubuntu: apt-get install {' '.join(packages)}")

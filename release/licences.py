"""The licence of every locked package, from the package's own metadata.

    python -m release.licences

writes the table of docs/licences.md anew; a test compares the page with the lock and refuses what may not ship.
"""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

from release.lock import Entry, image_entries, read

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "licences.md"
LOCK = ROOT / "requirements.lock"
BEGIN, END = "<!-- table: python -m release.licences -->", "<!-- end of table -->"

# Where the metadata names no SPDX expression, the licence file inside the wheel was read; the last three are
# not installed on every system (a marker in the lock).
READ_IN_THE_WHEEL = {
    "amqp": "BSD-3-Clause",
    "billiard": "BSD-3-Clause",
    "click-plugins": "BSD-3-Clause",
    "defusedxml": "PSF-2.0",
    "django-csp": "BSD-3-Clause",
    "django-filter": "BSD-3-Clause",
    "drf-spectacular-sidecar": "BSD-3-Clause",
    "fido2": "BSD-2-Clause AND Apache-2.0 AND MPL-2.0",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "prompt-toolkit": "BSD-3-Clause",
    "qrcode": "BSD-3-Clause AND MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "s3transfer": "Apache-2.0",
    "safetensors": "Apache-2.0",
    "sqlparse": "BSD-3-Clause",
    "tokenizers": "Apache-2.0",
    "uritemplate": "Apache-2.0 OR BSD-3-Clause",
    "valkey": "MIT",
    "vine": "BSD-3-Clause",
    "wcwidth": "MIT",
    "async-timeout": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
}

# These oblige nobody to publish the source of a work that uses the package unmodified.
MAY_SHIP = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "PSF-2.0",
        "PostgreSQL",
        "Zlib",
    }
)
# Used as the unmodified libraries that their wheels are, replaceable by whoever runs Helios.
STATED_EXCEPTIONS = {
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
}


def licence(name: str) -> str:
    """The SPDX expression of the package `name`; LookupError when nothing states one."""
    stated = READ_IN_THE_WHEEL.get(name)
    if stated is None:
        metadata = importlib.metadata.metadata(name).json
        stated = str(metadata.get("license_expression") or metadata.get("license") or "")
    if not re.fullmatch(r"[A-Za-z0-9.() -]{1,80}", stated):
        raise LookupError(f"{name} states no SPDX licence: read its licence file and add it to READ_IN_THE_WHEEL")
    return stated


def may_ship(name: str, expression: str) -> bool:
    """Whether one alternative of an `A AND B OR C` expression is made of MAY_SHIP alone."""
    if STATED_EXCEPTIONS.get(name) == expression:
        return True
    alternatives = [re.split(r"\s+AND\s+", part) for part in re.split(r"\s+OR\s+", expression)]
    return any(all(item in MAY_SHIP for item in parts) for parts in alternatives)


def table(entries: list[Entry]) -> str:
    in_image = {entry.name for entry in image_entries(entries)}
    rows = [
        f"| {entry.name} | {licence(entry.name)} | {'yes' if entry.name in in_image else 'no'} |" for entry in entries
    ]
    return "\n".join(["| package | licence | in the image |", "| --- | --- | --- |", *rows])


def with_table(page: str, text: str) -> str:
    """`page` with the lines between its two marks replaced by `text`."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"The page lacks the marks {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(), table(read(LOCK))))

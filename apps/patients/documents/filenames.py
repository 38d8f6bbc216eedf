"""Names of files as they are kept, shown and offered for download."""

from __future__ import annotations

import unicodedata

LONGEST = 255
LONGEST_EXTENSION = 16
UNNAMED = "document"
_NEVER = {"Cc", "Cs", "Zl", "Zp"}  # control characters, lone surrogates, ends of lines
# Marks that turn the direction of writing: with them a name can show another extension than it has.
_TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def cleaned(sent: str) -> str:
    """The last part of the path that was sent, without what does not show, within 255 characters; never empty."""
    last = sent.replace("\\", "/").rpartition("/")[2]
    shown = "".join(
        letter for letter in last if letter not in _TURNING and unicodedata.category(letter) not in _NEVER
    ).strip()
    if not shown.strip(". "):
        return UNNAMED
    if len(shown) <= LONGEST:
        return shown
    extension = extension_of(shown)
    return f"{shown[: LONGEST - 1 - len(extension)]}.{extension}" if extension else shown[:LONGEST]


def extension_of(name: str) -> str:
    """Without its dot; empty where there is none, or nothing that could be one."""
    _, dot, extension = name.rpartition(".")
    return extension if dot and len(extension) <= LONGEST_EXTENSION else ""

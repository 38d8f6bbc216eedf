"""The ids of patients: a 64-bit integer that callers see as a text of digits."""

from __future__ import annotations

import re
import secrets

LOWEST, HIGHEST = 10**17, 2**63 - 1
PATTERN = "[1-9][0-9]{0,18}"
_ID = re.compile(PATTERN)


def new_patient_id() -> int:
    """Random, so that an id tells neither how many patients there are nor whose the next one is."""
    return LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)


def parse_patient_id(text: str) -> int | None:
    """The id in the one form that replies show it in; None for anything else."""
    number = int(text) if _ID.fullmatch(text) else 0
    return number if 0 < number <= HIGHEST else None


def parse_wanted_id(text: str) -> int | None:
    """The same of an id to look for: a number above all ids is 0, which nobody has."""
    return parse_patient_id(text) or (0 if _ID.fullmatch(text) else None)

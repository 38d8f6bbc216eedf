"""The words and phrases of `lexicon.toml`, which grammar looks for, as regular expressions."""

from __future__ import annotations

import tomllib
from pathlib import Path

CONSTRUCTS = ("distress", "stress", "exhaustion", "sleepPropensity", "lowSelfEsteem", "mentalStrain")

_ENTRIES = tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))


def _either(lines: str) -> str:
    return "|".join(lines.split("\n")[:-1])


TROUBLE = {name: _either(_ENTRIES["trouble"][name]) for name in CONSTRUCTS}
OPPOSITE = {name: _either(_ENTRIES["opposite"][name]) for name in CONSTRUCTS}
GOOD = _either(_ENTRIES["good"])
NO_DENIAL = _either(_ENTRIES["no_denial"])
DENIAL = _either(_ENTRIES["denial"])
CROWDS = _either(_ENTRIES["crowds"])
ASKED = _either(_ENTRIES["asked"])
SUPPOSED = _either(_ENTRIES["supposed"])
IMPERSONAL = _either(_ENTRIES["impersonal"])
ELLIPTIC = _either(_ENTRIES["elliptic"])
CLAUSE_END = _either(_ENTRIES["clause_end"])
RECOVERED = _either(_ENTRIES["recovered"])
STILL = _either(_ENTRIES["still"])
IDIOM = _either(_ENTRIES["idiom"])
THINGS = _either(_ENTRIES["things"])
PERSONS = _either(_ENTRIES["persons"])
OWN_PARTS = _either(_ENTRIES["own_parts"])

"""Names as a search compares them."""

from __future__ import annotations

import unicodedata

LONGEST = 512  # letters of four bytes still fit into an index
# Letters whose stroke is no mark that could be taken away.
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})


def folded(text: str) -> str:
    """Without case, accents and other marks, in compatibility form: "Ångström" and "ANGSTROM" are one."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", plain.translate(_LETTERS))[:LONGEST]

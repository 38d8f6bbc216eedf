"""Bringing a text to the letters that the rules and the network know, whatever a keyboard or a trick made of them."""

from __future__ import annotations

import re
import unicodedata

# Letters of other alphabets that look like Latin ones. Unicode's table of confusables (UTS 39) holds many more; these
# are the ones that keyboards of Cyrillic and Greek give.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u0261\u04bb\u04cf\u0432\u043a\u043c\u043d\u0442"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0131",
    "aeopcyxijsdghlbkmhtABEKMHOPCTYXIJSaeikvoptuxABEZHIKMNOPTYXi",
)
# "sooo", "sleeeepy": a letter written three times or more is drawn out; inside a word an e is doubled, all else single.
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}(?=([a-z])?)", re.IGNORECASE)
_QUOTES = re.compile("[\u2018\u2019\u02bc`\u00b4]")


def legible(text: str) -> str:
    """`text` in NFKC (full-width and styled letters become plain ones), without invisible characters or loose accents,
    with straight apostrophes and without letters drawn out ("sooo").

    A word that mixes Latin letters with lookalikes is read as Latin; words of other scripts stay.
    """
    text = _DRAWN_OUT.sub(lambda run: run[1] * (2 if run[1] in "eE" and run[2] else 1), text)
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", _QUOTES.sub("'", text))
    plain = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Cs", "Mn"))
    return re.sub(r"[^\W\d_]+", _folded, plain)


def _folded(word: re.Match[str]) -> str:
    folded = word[0].translate(_LOOKALIKES)
    return folded if folded.isascii() else word[0]

"""Values and texts as the languages of the samples write them."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

JSON_WORDS = {True: "true", False: "false", None: "null"}
PYTHON_WORDS = {True: "True", False: "False", None: "None"}
_LONGEST = 70
_WIDTH = 88
_VARIABLE = re.compile(r"\$([A-Z_]+)")


def written(value: Any, words: dict[bool | None, str], step: str) -> str:
    """`value` on one line if it is short, else an object with a line for each key, `step` further in."""
    if value is None or isinstance(value, bool):
        return words[value]
    if isinstance(value, list):
        return f"[{', '.join(written(item, words, step) for item in value)}]"
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    items = [f"{json.dumps(name)}: {written(item, words, step)}" for name, item in value.items()]
    line = f"{{{', '.join(items)}}}"
    if len(line) <= _LONGEST and "\n" not in line:
        return line
    # JSON takes no comma after the last one.
    return "{\n" + textwrap.indent(",\n".join(items), step) + "\n}"


def comment(text: str, sign: str) -> str:
    """`text` as lines of comment, or nothing."""
    return "".join(f"{sign} {line}\n" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False))


def with_variables(text: str, *, alone: str, within: str, quotes: tuple[str, str]) -> str:
    """`text`, in which `$NAME` means an environment variable.

    `alone` is how the language writes a variable, `within` how it does in a text between `quotes`, each with `NAME`
    where the name goes.
    """
    if (found := _VARIABLE.fullmatch(text)) is not None:
        return alone.replace("NAME", found[1])
    inside = _VARIABLE.sub(lambda found: within.replace("NAME", found[1]), text)
    return json.dumps(text) if inside == text else f"{quotes[0]}{inside}{quotes[1]}"


def mapping(items: list[str], step: str, room: str) -> str:
    """One item between braces with `room`, more of them on a line each."""
    if len(items) == 1:
        return f"{{{room}{items[0]}{room}}}"
    return "{\n" + textwrap.indent("".join(f"{item},\n" for item in items), step) + "}"

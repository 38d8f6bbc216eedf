"""JSON values as the languages of the samples write them."""

from __future__ import annotations

import json
import textwrap
from typing import Any

JSON_WORDS = {True: "true", False: "false", None: "null"}
PYTHON_WORDS = {True: "True", False: "False", None: "None"}
_LONGEST = 70
_WIDTH = 88


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

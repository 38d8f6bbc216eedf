"""The one rule of the API that JSON Schema cannot say."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Tags must differ in one of their keys, the name: generated ones are made to."""
    tags = case.body.get("tags") if isinstance(case.body, dict) else None
    if not isinstance(tags, list):
        return case
    for number, tag in enumerate(tags):
        name = str(tag["name"]) if isinstance(tag, dict) and isinstance(tag.get("name"), (str, int, float)) else ""
        if 0 < len(name) <= 200:  # what is invalid on purpose stays so
            tags[number] = {**tag, "name": f"{name} {number}"}
    return case

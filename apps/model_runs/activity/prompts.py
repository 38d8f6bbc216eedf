"""What people are offered to talk about, in the language that they speak. The texts, in `prompts.json`, are ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

ENGLISH = "en"


class Prompts(TypedDict):
    """Each prompt as it is offered, by title and text, and as it stands beside the recorder."""

    free: list[str]
    free_task: str
    picture: list[str]
    picture_task: str
    reading: list[str]
    reading_task: list[str]  # paragraphs, about half a minute in all


PROMPTS: dict[str, Prompts] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def prompts_for(language: str) -> tuple[str, Prompts]:
    """The language of the prompts, by the first part of a tag such as `de-DE`, and the prompts: English where we have
    none in it."""
    spoken = language.partition("-")[0]
    return (spoken, PROMPTS[spoken]) if spoken in PROMPTS else (ENGLISH, PROMPTS[ENGLISH])

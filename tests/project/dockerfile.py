"""A reader of Dockerfiles, as far as ours needs one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stage:
    """One `FROM` with what follows it: pairs of an instruction in capitals and its text on one line."""

    image: str
    name: str | None
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def texts(self, instruction: str) -> list[str]:
        return [text for name, text in self.instructions if name == instruction]

    def environment(self) -> dict[str, str]:
        return {found[1]: found[2] for text in self.texts("ENV") for found in re.finditer(r"(\w+)=(\S+)", text)}


def parse(source: str) -> list[Stage]:
    """The stages in their order; ValueError for an instruction before the first of them."""
    without_comments = re.sub(r"^\s*#.*\n", "", source, flags=re.MULTILINE)
    joined = re.sub(r"\\\n\s*", " ", without_comments)
    stages: list[Stage] = []
    for line in filter(str.strip, joined.splitlines()):
        instruction, _, text = line.strip().partition(" ")
        if instruction.upper() == "FROM":
            image, _, name = text.partition(" AS ")
            stages.append(Stage(image.strip(), name.strip() or None))
        elif not stages:
            raise ValueError(f"{instruction} stands before FROM")
        else:
            stages[-1].instructions.append((instruction.upper(), text.strip()))
    return stages

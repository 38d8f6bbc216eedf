"""A result with everything that a page can show."""

from __future__ import annotations

from dataclasses import replace
from math import sin
from typing import Any

from apps.model_runs.wellness.interface import DIMENSIONS, Analysis, Quality
from apps.model_runs.wellness.safety import SELF_HARM_WARNING
from apps.model_runs.wellness.scores import uniform_name

VALUES = dict(zip(DIMENSIONS, (0.62, 0.48, 0.71, 0.35, 0.5), strict=True))
POINTS = 600
_EVIDENCE = ("acted_proxy", "acted_proxy", "literature_index", "literature_index", "authored_words")


def _heard(share: float) -> bool:
    return 0.05 < share < 0.45 or 0.5 < share < 0.95


OUTLINE: dict[str, Any] = {
    "seconds": 44.0,
    "envelope": [round((0.25 + 0.2 * sin(i / 3) * sin(i / 17)) * _heard(i / POINTS) + 0.01, 3) for i in range(POINTS)],
    "speech": [[2.2, 19.8], [22.0, 41.8]],
    "pitch": [
        round(190 + 45 * sin(i / 11) + 12 * sin(i / 2), 1) if _heard(i / POINTS) and i % 14 < 11 else None
        for i in range(POINTS)
    ],
}


def _higher(score: str) -> dict[str, Any]:
    return {
        "score": score,
        "kind": "VOICE",
        "feature": "pitchSpread",
        "value": 4.1,
        "unit": "st",
        "referenceLow": 2.1,
        "referenceHigh": 3.5,
        "direction": "UP",
        "weight": 0.4,
        "phrase": None,
        "text": "Pitch moved more, compared with women in the reference; the model counts this towards a higher score.",
    }


_SAID = {
    "score": "exhaustion",
    "kind": "WORDS",
    "direction": "UP",
    "weight": 0.3,
    "phrase": "I slept badly",
    "text": "The person spoke of this state; the model counts this towards a higher score.",
}
RICH = Analysis(
    duration_seconds=44.0,
    speech_seconds=37.4,
    transcript="I slept badly, and the week was long. Today I walked to the market and met an old friend.",
    scores={
        "mentalStrain": 0.532,
        **dict.fromkeys(DIMENSIONS, 0.66),
        **{uniform_name(name): value for name, value in VALUES.items()},
    },
    quality=Quality("FAIR", 17.5, 0.0002, 8000.0, ("CLIPPING",)),
    warnings=("The loudest parts of the recording are cut off.",),
    confidence={
        "mentalStrain": {"level": "LOW", "low": 0.44, "high": 0.66},
        **{name: {"level": "MEDIUM", "low": value - 0.15, "high": value + 0.2} for name, value in VALUES.items()},
    },
    evidence={"mentalStrain": "literature_index", **dict(zip(DIMENSIONS, _EVIDENCE, strict=True))},
    explanation=(*map(_higher, DIMENSIONS[:4]), _SAID),
    safety={"selfHarmLanguage": False, "phrases": []},
    outline=OUTLINE,
    model_version="2026.11-test",
)
ALARMING = replace(
    RICH,
    warnings=(SELF_HARM_WARNING, *RICH.warnings),
    safety={"selfHarmLanguage": True, "phrases": [{"startSecs": 3.0, "finishSecs": 5.0, "text": "phrase-canary"}]},
)


def shifted(by: float) -> Analysis:
    """RICH with every continuous score moved."""
    scores = {name: round(value + by, 3) for name, value in (RICH.scores or {}).items()}
    return replace(RICH, scores=scores)

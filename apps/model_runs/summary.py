"""A finished run in a few plain lines, for a note that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apps.model_runs.wellness.baseline import title_of
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES

# Age and language choose nobody: the reference speakers are too few to be divided by them.
_REFERENCE_GROUPS = {"FEMALE": "a reference group of women", "MALE": "a reference group of men"}
_SCALE = "Scores from 0 to 1, where higher is worse (more of it), in comparison with {}:"
SELF_HARM = "Words were found that may speak of self-harm. Please read the transcript."
NO_DIAGNOSIS = "The scores describe one moment. They are no diagnosis, and they replace no examination."


def reference_group(birth_sex: str) -> str:
    """Whom a person of that birth sex is compared with, in words."""
    return _REFERENCE_GROUPS.get(birth_sex, "a reference group of women and men")


def summary(
    *,
    birth_sex: str,
    scores: Mapping[str, float],
    duration_seconds: float | None,
    speech_seconds: float | None,
    quality: Mapping[str, Any] | None,
    warnings: Sequence[str],
    safety: Mapping[str, Any] | None,
) -> str:
    """The six continuous scores with what must be known to read them. Arguments are as a run stores them."""
    parts = [
        [_recording(duration_seconds, speech_seconds), *_quality(quality)],
        [
            _SCALE.format(reference_group(birth_sex)),
            *(f"{title_of(name)}: {scores[name]:.2f}" for name in CONTINUOUS_NAMES if name in scores),
        ],
        [f"Warning: {text}" for text in warnings],
        [SELF_HARM] if safety and safety["selfHarmLanguage"] else [],
        [NO_DIAGNOSIS],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _recording(duration_seconds: float | None, speech_seconds: float | None) -> str:
    if duration_seconds is None or speech_seconds is None:
        return "Voice wellness check."
    return f"Voice wellness check of a recording of {duration_seconds:.1f} s, with {speech_seconds:.1f} s of speech."


def _quality(quality: Mapping[str, Any] | None) -> Iterator[str]:
    if quality is not None:
        yield f"Quality of the recording: {quality['level'].lower()}."

"""A finished run in a few plain lines, for a note that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apps.model_runs.wellness.baseline import title_of
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES

_SCALE = (
    "Scores from 0 to 1, where higher means more of it, in comparison with the voices of people of the same age, birth "
    "sex and language:"
)
SELF_HARM = "Words were found that may speak of self-harm. Please read the transcript."
NO_DIAGNOSIS = "The scores describe one moment. They are no diagnosis, and they replace no examination."


def summary(
    *,
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
        [_SCALE, *(f"{title_of(name)}: {scores[name]:.2f}" for name in CONTINUOUS_NAMES if name in scores)],
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

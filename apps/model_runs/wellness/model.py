"""The whole wellness model: what it knows of voices and of words, under one version."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.model_runs.wellness import heads
from apps.model_runs.wellness.heads import VoiceModel
from apps.model_runs.wellness.words import heads as word_heads
from apps.model_runs.wellness.words.heads import WordModel

SHIPPED_VERSION = "2026.11"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class WellnessModel:
    """A model as runs name it: equal versions give equal scores."""

    version: str
    voice: VoiceModel
    words: WordModel


@functools.cache
def shipped() -> WellnessModel:
    """The model that comes with this release."""
    return WellnessModel(SHIPPED_VERSION, heads.load_voice(), word_heads.load_model())


def model_to_json(model: WellnessModel) -> dict[str, Any]:
    """The model as one value for a file or a database; `model_from_json` reads it."""
    return {
        "format": FORMAT,
        "version": model.version,
        "voice": heads.voice_to_json(model.voice),
        "words": word_heads.model_to_json(model.words),
    }


def model_from_json(data: Mapping[str, Any]) -> WellnessModel:
    """The model that `data` holds. Raises ValueError on another format, KeyError on a missing part."""
    if data["format"] != FORMAT:
        raise ValueError(f"The model is of format {data['format']}; this release reads format {FORMAT}.")
    voice, words = heads.voice_from_json(data["voice"]), word_heads.model_from_json(data["words"])
    return WellnessModel(str(data["version"]), voice, words)

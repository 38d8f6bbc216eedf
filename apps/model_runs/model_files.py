"""Files of wellness models: read, and refused with one clear line when they are not what this release can use."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np

from apps.model_runs.wellness import scores
from apps.model_runs.wellness.confidence import EVIDENCE_CLASSES, conditions, confidence
from apps.model_runs.wellness.explain import explain
from apps.model_runs.wellness.features.registry import FEATURES
from apps.model_runs.wellness.fusion import fuse
from apps.model_runs.wellness.heads import GROUPS, VoiceModel, read_voice
from apps.model_runs.wellness.interface import Limits
from apps.model_runs.wellness.model import WellnessModel, model_from_json
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS
from apps.model_runs.wellness.words.reading import Said, WordReading

Kind = TypeVar("Kind")

SHIPPED = "shipped"  # stands for the model of the installed release, whatever its version
LARGEST_BYTES = 4_194_304  # sixty times the shipped model
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # safe in file names, addresses and log lines


class ModelRefused(ValueError):
    """The file holds no model that this release can use; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model as its file holds it, with what training wrote beside it; `evaluation` None or `card` empty: nothing."""

    content: bytes
    model: WellnessModel
    evaluation: dict[str, Any] | None = None
    card: str = ""


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal, as `sha256sum` prints it."""
    return hashlib.sha256(content).hexdigest()


def read_model_file(path: Path) -> ModelFile:
    """The model in `path`, alone. Raises ModelRefused, also where the file cannot be read."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ModelRefused(f"It is larger than {LARGEST_BYTES // 1024} kB, which no model is.")
        content = path.read_bytes()
        return ModelFile(content, read_model(content))
    except OSError as error:
        raise ModelRefused(f"{path}: {error.strerror}.") from error
    except ModelRefused as error:
        raise ModelRefused(f"{path}: {error}") from error


def read_trained(path: Path) -> ModelFile:
    """The model in `path` with what training wrote beside it, `evaluation.json` and `card.md`. Raises ModelRefused."""
    evaluation, card = path.with_name("evaluation.json"), path.with_name("card.md")
    return replace(
        read_model_file(path),
        evaluation=_beside(evaluation, _figures) if evaluation.exists() else None,
        card=_beside(card, _text) if card.exists() else "",
    )


def read_model(content: bytes) -> WellnessModel:
    """The model that the bytes of a file hold, after it has scored a made-up recording. Raises ModelRefused.

    A fault that shows only in a customer's run would show too late.
    """
    try:
        model = model_from_json(_json(content))
        check_version(model.version)
        with np.errstate(all="ignore"):  # what is no number in the end is refused
            _try(model)
    except ModelRefused:
        raise
    except KeyError as error:
        raise ModelRefused(f"It is not a wellness model that this release can use: {error} is missing.") from None
    except (ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise ModelRefused(f"It is not a wellness model that this release can use: {said}") from error
    return model


def check_version(version: object) -> None:
    """Raises ModelRefused for a name that a trained model may not have."""
    if not isinstance(version, str) or not _VERSION.fullmatch(version) or version == SHIPPED:
        raise ModelRefused(
            "A model's version begins with a letter or a digit, has at most 64 letters, digits, dots, hyphens and "
            f'underscores, and is not "{SHIPPED}".'
        )


def _try(model: WellnessModel) -> None:
    """Score speakers of each group in whose recording nothing could be measured, and who spoke of every state or none.

    Raises whatever goes wrong, ValueError where what comes out is no number.
    """
    width = (len(model.voice.features),)
    for name, group in model.voice.groups.items():
        if {group.centre.shape, group.scale.shape, group.low.shape, group.high.shape} != {width}:
            raise ValueError(f"its group {name} does not describe each of the {width[0]} features.")
    for name, dimension in model.voice.dimensions.items():
        if dimension.evidence not in EVIDENCE_CLASSES:
            raise ValueError(f"{name} rests on {dimension.evidence!r}, which is no class of evidence.")
    for name, gate in product(GROUPS, (0.0, 1.0)):
        said = WordReading(dict.fromkeys(CONSTRUCTS, Said(1.0, gate, ())))
        if not all(math.isfinite(number) for number in _numbers(model.voice, name, said)):
            raise ValueError(f"it gives no number for {name}.")


def _numbers(voice: VoiceModel, group: str, said: WordReading) -> list[float]:
    limits = Limits()
    reading = read_voice(voice, dict.fromkeys((feature.name for feature in FEATURES), math.nan), group)
    fused = fuse(voice, reading, said, 1.0)
    values = scores.score({name: part.logit for name, part in fused.items()}, limits)
    found = conditions(10.0, 20.0, 8000.0, True, reading.distance)
    levels = confidence(voice, fused, scores.continuous(values), found, False, False, limits.score_decimals)
    explain(voice, reading, said, fused)
    ends = [level[end] for level in levels.values() if level for end in ("low", "high")]
    return [*reading.logits.values(), *values.values(), *ends]


def _json(content: bytes) -> Any:
    """JSON as the standard has it: `json` alone would let NaN and infinite numbers through."""
    return json.loads(content.decode(), parse_constant=_no_number, parse_float=_finite)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no finite number.")


def _beside(path: Path, read: Callable[[bytes], Kind]) -> Kind:
    try:
        return read(path.read_bytes())
    except OSError as error:
        raise ModelRefused(f"{path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{path} cannot be read: {' '.join(str(error).split())}") from error


def _figures(content: bytes) -> dict[str, Any]:
    figures = json.loads(content.decode(), parse_constant=lambda _: None)  # a figure that could not be computed
    if not isinstance(figures, dict):
        raise ValueError("it is no JSON object.")
    # What PostgreSQL's JSON does not hold: NUL, and halves of surrogate pairs, which cannot be encoded.
    if b"\\u0000" in json.dumps(figures, ensure_ascii=False).encode():
        raise ValueError("it holds a NUL character.")
    return figures


def _text(content: bytes) -> str:
    text = content.decode()
    if "\0" in text:
        raise ValueError("it holds a NUL character.")
    return text

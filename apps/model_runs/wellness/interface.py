"""The values that travel between the stages of the pipeline, and its one refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # Hz; every stage after `decode` works at this rate, mono float32 in -1..1.

Samples = NDArray[np.float32]

# The five dimensions, in the order of the API; `mentalStrain` is computed from them.
DIMENSIONS = ("distress", "stress", "exhaustion", "sleepPropensity", "lowSelfEsteem")

QUALITY_WARNING = "Audio quality may affect result accuracy."


class ErrorCode(StrEnum):
    """Why a recording gives no scores. `ERR_INTERNAL` is the caller's: the pipeline never returns it."""

    INVALID_FORMAT = "ERR_RECORDING_INVALID_FORMAT"
    TOO_SHORT = "ERR_RECORDING_TOO_SHORT"
    TOO_LONG = "ERR_RECORDING_TOO_LONG"
    TRANSCRIPTION_FAILED = "ERR_TRANSCRIPTION_FAILED"
    INTERNAL = "ERR_INTERNAL"


class RecordingRefused(Exception):
    """A recording check failed. `reason` names the figures found and needed; the length is given where it is known."""

    def __init__(self, code: ErrorCode, reason: str, duration_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.duration_seconds = duration_seconds


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the recording is compared with."""

    birth_sex: str = "UNKNOWN"  # MALE, FEMALE, INTERSEX, UNKNOWN
    date_of_birth: date | None = None
    language: str = "en-GB"


@dataclass(frozen=True, slots=True)
class Limits:
    """The operator's bounds on a recording; the defaults are the API contract's."""

    min_speech_seconds: float = 10.0
    max_recording_seconds: float = 180.0
    speech_pause_seconds: float = 0.3
    bucket_cuts: tuple[float, float, float] = (0.25, 0.50, 0.75)
    score_decimals: int = 4
    decoder: str = "pyav"  # or "ffmpeg"


@dataclass(frozen=True, slots=True)
class Recording:
    """A decoded recording."""

    samples: Samples  # mono, SAMPLE_RATE, float32 in -1..1
    container: str  # wav, flac, mp3, mp4, ogg, webm
    codec: str
    source_sample_rate: int  # Hz
    source_channels: int

    @property
    def duration_seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Speech:
    """Where speech was found."""

    spans: tuple[tuple[float, float], ...]  # seconds; short pauses inside an utterance are included
    speech_seconds: float  # sum of the spans
    voiced: NDArray[np.bool_]  # one value a 10 ms frame: the detector's own decision, pauses not filled


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the recording is as a basis for scores."""

    level: str  # GOOD, FAIR, POOR
    snr_db: float | None
    clipping_ratio: float  # share of samples at full scale, 0..1
    bandwidth_hz: float
    issues: tuple[str, ...]  # LOW_SNR CLIPPING LOW_LEVEL SECOND_SPEAKER NARROW_BAND


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of recognised speech."""

    start_seconds: float
    finish_seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    text: str
    segments: tuple[Segment, ...] = ()
    supported: bool = True  # False: no transcriber for this language, `text` is empty


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the pipeline says of one recording; `scores` is None exactly when it was refused."""

    error_code: ErrorCode | None = None
    error_reason: str | None = None
    duration_seconds: float | None = None
    speech_seconds: float | None = None
    transcript: str = ""
    # The eleven values by their API names (mentalStrain, distress, uniformDistress, …), 0..1.
    scores: dict[str, float] | None = None
    quality: Quality | None = None
    warnings: tuple[str, ...] = ()
    # score name -> {"level": LOW|MEDIUM|HIGH, "low": float, "high": float} for DIMENSIONS and mentalStrain
    confidence: dict[str, dict[str, Any] | None] | None = None
    evidence: dict[str, str] | None = None  # score name -> evidence class
    # items: score kind feature value unit referenceLow referenceHigh direction weight phrase text
    explanation: tuple[dict[str, Any], ...] | None = None
    # {"selfHarmLanguage": bool, "phrases": [{"startSecs", "finishSecs", "text"}]}; None where no words were read
    safety: dict[str, Any] | None = None
    outline: dict[str, Any] | None = None  # as `outline.outline` gives it
    model_version: str | None = None
    elapsed_seconds: dict[str, float] = field(default_factory=dict)  # stage -> seconds

    @property
    def ok(self) -> bool:
        return self.error_code is None

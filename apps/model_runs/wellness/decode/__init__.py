"""From a file of any of the six formats to mono samples at 16 kHz, whatever the file tries."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from apps.model_runs.wellness.decode.decoders import DECODERS, Decoded, Undecodable
from apps.model_runs.wellness.decode.sandbox import Bounds, DecoderFailed
from apps.model_runs.wellness.decode.sniff import sniff
from apps.model_runs.wellness.interface import (
    SAMPLE_RATE,
    ErrorCode,
    Limits,
    Recording,
    RecordingRefused,
    Samples,
)

__all__ = ["Bounds", "DecoderFailed", "decode"]

MAX_CHANNELS = 8
SOURCE_RATES = (8_000, 192_000)  # Hz, both included
# NaN and infinity in a float file: a few become silence; more than this share and the file is damaged.
MAX_NOT_FINITE = 0.01

_NAMES = {"wav": "WAV", "flac": "FLAC", "mp3": "MP3", "mp4": "MP4", "ogg": "Ogg", "webm": "WebM"}
_SLACK_SECONDS = 0.2  # decoded past the limit, enough to know that it was passed


def decode(path: str | Path, limits: Limits, bounds: Bounds = Bounds()) -> Recording:  # noqa: B008  (frozen)
    """Decodes the first sound track of a file, all channels mixed with equal weights, values cut to -1..1.

    The container is judged by content. A file that is cut or damaged gives the sound before the damage. Raises
    RecordingRefused with INVALID_FORMAT or TOO_LONG, DecoderFailed when the decoder and not the file is at fault, and
    OSError when the file cannot be read.
    """
    path = Path(path).absolute()
    with path.open("rb") as file:
        container = sniff(file)
        if container is None:
            empty = file.seek(0, 2) == 0
            raise _invalid(
                "The recording is empty (0 bytes)."
                if empty
                else "The recording is none of FLAC, MP3, MP4, Ogg, WebM, WAV."
            )
    wanted = round((limits.max_recording_seconds + _SLACK_SECONDS) * SAMPLE_RATE)
    try:
        decoded = DECODERS[limits.decoder](path, container, wanted, bounds)
        _check_source(decoded)
        samples = _sanitised(decoded.samples)
    except Undecodable as error:
        raise _invalid(f"The {_NAMES[container]} file {error}.") from error
    _check_length(decoded, limits.max_recording_seconds)
    return Recording(samples, container, decoded.codec, decoded.sample_rate, decoded.channels)


def _check_source(decoded: Decoded) -> None:
    if not len(decoded.samples):
        raise Undecodable("holds no sound that can be decoded")
    if decoded.channels > MAX_CHANNELS:
        raise Undecodable(f"has {decoded.channels} channels; at most {MAX_CHANNELS} are accepted")
    low, high = SOURCE_RATES
    if not low <= decoded.sample_rate <= high:
        raise Undecodable(f"has a sample rate of {decoded.sample_rate} Hz; {low} to {high} Hz are accepted")


def _sanitised(samples: Samples) -> Samples:
    finite = np.isfinite(samples)
    share = 1.0 - np.count_nonzero(finite) / len(samples)
    if share > MAX_NOT_FINITE:
        raise Undecodable(f"is damaged: {100 * share:.0f} % of its samples are not numbers")
    cut: Samples = np.clip(np.where(finite, samples, np.float32(0.0)), np.float32(-1.0), np.float32(1.0))
    return cut


def _check_length(decoded: Decoded, longest: float) -> None:
    """Compares in tenths of a second, cut, so that an encoder's padding does not fail a recording of full length.

    Rounding to a millisecond first takes back the few samples by which resampling may shorten a recording.
    """
    milliseconds = round(1000 * len(decoded.samples) / SAMPLE_RATE)
    if milliseconds // 100 <= round(10 * longest):
        return
    found, declared = milliseconds // 100 / 10, decoded.declared_seconds or 0.0
    stopped = found >= longest + _SLACK_SECONDS  # decoding ended there: only the container may know the true length
    lasts = f"{declared:.1f} s" if stopped and declared > found else f"{found:.1f} s" + " or more" * stopped
    raise RecordingRefused(
        ErrorCode.TOO_LONG,
        f"The recording lasts {lasts}; at most {longest:g} s are accepted.",
        None if stopped else milliseconds / 1000,
    )


def _invalid(reason: str) -> RecordingRefused:
    return RecordingRefused(ErrorCode.INVALID_FORMAT, reason)

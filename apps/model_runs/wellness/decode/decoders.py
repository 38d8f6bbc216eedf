"""The two decoders: PyAV in a child of ours, and the programs `ffmpeg` and `ffprobe` of the system.

Both are functions of one form (`Decoder`), run inside the same sandbox with the same demuxer, decoders and filters, and
give the same samples to within rounding. Which one runs is the operator's choice: PyAV needs nothing installed, the
programs keep code under the GPL out of an image that is distributed.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apps.model_runs.wellness.decode import pyav_child
from apps.model_runs.wellness.decode.sandbox import Bounds, DecoderFailed, Outcome, run
from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples

# The decoders that may run for each container, by FFmpeg's names; video decoders are in none.
ALLOWED_DECODERS = {
    "wav": "pcm_u8,pcm_s8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav",
    "flac": "flac",
    "mp3": "mp3float,mp3",
    "mp4": "aac,alac,mp3float,mp3,opus,libopus,flac,ac3,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb",
    "ogg": "opus,libopus,vorbis,libvorbis,flac,speex,libspeex",
    "webm": "opus,libopus,vorbis,libvorbis",
}
# After the mean over the channels. swresample's own windowed-sinc filter, the same in both implementations.
FILTERS = f"aresample={SAMPLE_RATE},aformat=sample_fmts=flt"

_BYTES_PER_SAMPLE = 4


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a decoder found in a file. `samples` is shorter than wanted exactly when the file ended before."""

    samples: Samples  # mono, SAMPLE_RATE, as decoded: not yet checked for NaN or range
    codec: str
    sample_rate: int
    channels: int
    declared_seconds: float | None  # what the container says; may be wrong


class Undecodable(Exception):
    """The file holds no sound that can be decoded; the text is a clause for the caller's sentence."""


Decoder = Callable[[Path, str, int, Bounds], Decoded]
"""(file, container, samples wanted, bounds) → Decoded. Raises Undecodable or DecoderFailed."""


def decode_with_pyav(path: Path, container: str, wanted: int, bounds: Bounds) -> Decoded:
    command = [
        *(sys.executable, "-I", "-S", "-B", pyav_child.__file__, _directory_of_pyav()),
        *(str(path), container, ALLOWED_DECODERS[container], FILTERS, str(wanted)),
    ]
    room = pyav_child.HEADER_BYTES + wanted * _BYTES_PER_SAMPLE
    outcome = run(command, room=room, bounds=bounds)
    _refuse_unless_ended_well(outcome)
    if len(outcome.output) < pyav_child.HEADER_BYTES:
        raise Undecodable("holds no sound that can be decoded")
    header = json.loads(outcome.output[: pyav_child.HEADER_BYTES].tobytes())
    return Decoded(
        samples=_samples(outcome, pyav_child.HEADER_BYTES),
        codec=header["codec"],
        sample_rate=header["sample_rate"],
        channels=header["channels"],
        declared_seconds=header["seconds"],
    )


@functools.cache
def _directory_of_pyav() -> str:
    """Where `import av` would find PyAV; found without importing it."""
    spec = importlib.util.find_spec("av")
    if spec is None or spec.origin is None:
        raise DecoderFailed("PyAV is not installed")
    return str(Path(spec.origin).parent.parent)


def decode_with_ffmpeg(path: Path, container: str, wanted: int, bounds: Bounds) -> Decoded:
    source = ["-protocol_whitelist", "file", "-f", container, "-i", f"file:{path}"]
    description = _probe(source, bounds)
    codec, channels = str(description["codec_name"]), int(description["channels"])
    allowed = ALLOWED_DECODERS[container].split(",")
    if codec not in allowed and codec.replace("_", "") not in allowed:  # the codec amr_nb, the decoder amrnb
        raise _not_accepted(codec)
    mixdown = "pan=mono|c0<" + "+".join(f"c{index}" for index in range(channels))
    command = [
        *(
            _program("ffmpeg"),
            "-nostdin",
            "-hide_banner",
            "-v",
            "error",
            "-threads",
            "1",
            "-filter_threads",
            "1",
        ),
        *("-codec_whitelist", ALLOWED_DECODERS[container], *source),
        *("-map", "0:a:0", "-af", f"{mixdown},{FILTERS}", "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1"),
    ]
    outcome = run(command, room=wanted * _BYTES_PER_SAMPLE, bounds=bounds)
    if not len(outcome.output):  # with sound found, damage further on ends the recording there, as in PyAV's child
        _refuse_unless_ended_well(outcome)
        raise Undecodable("holds no sound that can be decoded")
    if outcome.status < 0:
        _refuse_unless_ended_well(outcome)
    return Decoded(
        samples=_samples(outcome, 0),
        codec=codec,
        sample_rate=int(description["sample_rate"]),
        channels=channels,
        declared_seconds=description["seconds"],
    )


def _probe(source: Sequence[str], bounds: Bounds) -> dict[str, Any]:
    """What the first sound track is. Without a list of allowed decoders: ffprobe then refuses every film."""
    entries = "stream=codec_name,sample_rate,channels:format=duration"
    command = [
        *(_program("ffprobe"), "-hide_banner", "-v", "error", *source),
        *("-select_streams", "a:0", "-show_entries", entries, "-of", "json=compact=1"),
    ]
    outcome = run(command, room=64 * 1024, bounds=bounds)
    _refuse_unless_ended_well(outcome)
    try:
        answer = json.loads(outcome.output.tobytes())
        seconds = answer.get("format", {}).get("duration")
        answer["streams"][0]["seconds"] = float(seconds) if seconds else None
    except (ValueError, KeyError, IndexError):
        raise Undecodable("holds no sound") from None
    stream: dict[str, Any] = answer["streams"][0]
    if stream.get("codec_name", "unknown") == "unknown" or not int(stream.get("channels", 0)):
        raise Undecodable("holds no sound that can be decoded")
    return stream


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise DecoderFailed(f"the program {name} is not installed")
    return found


def _samples(outcome: Outcome, offset: int) -> Samples:
    end = len(outcome.output) - (len(outcome.output) - offset) % _BYTES_PER_SAMPLE
    return outcome.output[offset:end].view(np.float32)


def _refuse_unless_ended_well(outcome: Outcome) -> None:
    """Raises for every end of the command but a good one, or one that we caused by having enough."""
    if outcome.full or outcome.status == 0:
        return
    if outcome.out_of_time:
        raise Undecodable("could not be decoded within the time limit")
    if outcome.status == pyav_child.EXIT_UNAVAILABLE:
        raise DecoderFailed(f"PyAV cannot be loaded: {outcome.errors.strip()}")
    if outcome.status == pyav_child.EXIT_NO_AUDIO:
        raise Undecodable("holds no sound")
    if outcome.status == pyav_child.EXIT_CODEC:
        raise _not_accepted(outcome.errors.strip())
    raise Undecodable("could not be decoded")


def _not_accepted(codec: str) -> Undecodable:
    return Undecodable(f"holds sound in a form that is not accepted ({codec[:40]})")


DECODERS: dict[str, Decoder] = {"pyav": decode_with_pyav, "ffmpeg": decode_with_ffmpeg}

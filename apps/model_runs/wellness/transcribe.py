"""Words of a recording, by the English moonshine model whose weights lie inside the package `moonshine_voice`.

Only stretches in which speech was found are given to the model, each by itself: silence and noise invite it to invent
words, and its memory grows with the square of the length. The model's own voice detector is switched off.

The package's C interface is called directly. Its Python classes copy every sample into lists, back and forth.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples, Segment, Speech, Transcript
from apps.model_runs.wellness.speech import at_one_level, frame_rms

LANGUAGE_PREFIX = "en-"

LONGEST_SECONDS = 12.0  # of one stretch: 17 times real time on one core and 50 MB; at 30 s 11 times and 350 MB
LONGEST_GAP_SECONDS = 1.5  # a longer pause begins a new stretch
MARGIN_SECONDS = 0.25  # kept before and after, so that a few milliseconds more or less of speech change no word

_HEADER_VERSION = 20000  # of moonshine-c-api.h
_TINY = 0  # MOONSHINE_MODEL_ARCH_TINY
_FORCE_UPDATE = 1  # MOONSHINE_FLAG_FORCE_UPDATE
_HOP = SAMPLE_RATE // 10
_OPTIONS = {
    # threshold 0: everything is voice, and no limit of length: one stretch in, one line out
    "vad_threshold": "0",
    "vad_max_segment_duration": "1000",
    "vad_window_duration": "0.1",
    "vad_hop_size": str(_HOP),
    "vad_look_behind_sample_count": str(_HOP),
    "identify_speakers": "false",
}


class TranscriberFailed(Exception):
    """The library returned an error; not the recording's fault."""


@dataclass(frozen=True, slots=True)
class _Model:
    library: Any  # ctypes.CDLL with the signatures set by moonshine_voice
    handle: int


def load() -> None:
    """Loads the weights (0.3 s, 130 MB) unless they are loaded. A process forked afterwards shares them.

    A fork is safe at any time: the library's threads are absent in the child, which then computes on one thread.
    """
    _model()


@functools.cache
def _model() -> _Model:
    from moonshine_voice.moonshine_api import TranscriberOptionC, _MoonshineLib
    from moonshine_voice.utils import get_model_path

    library = _MoonshineLib().lib
    options = (TranscriberOptionC * len(_OPTIONS))(
        *(TranscriberOptionC(name.encode(), value.encode()) for name, value in _OPTIONS.items())
    )
    path = str(get_model_path("tiny-en")).encode()
    handle = library.moonshine_load_transcriber_from_files(path, _TINY, options, len(options), _HEADER_VERSION)
    return _Model(library, _checked(library, handle))


def transcribe(samples: Samples, speech: Speech, language: str) -> Transcript:
    """Words in the spans of `speech`. Equal samples give equal text.

    A language without a model gives an empty transcript with `supported` False, never a guess. Raises
    TranscriberFailed.
    """
    if not language.startswith(LANGUAGE_PREFIX):
        return Transcript("", (), supported=False)
    leveled = at_one_level(samples)
    if leveled is None:
        return Transcript("")
    segments = []
    for start, finish in stretches(leveled, speech):
        text = _recognise(leveled[round(start * SAMPLE_RATE) : round(finish * SAMPLE_RATE)])
        if text:
            segments.append(Segment(start, finish, text))
    return Transcript(" ".join(segment.text for segment in segments), tuple(segments))


def stretches(samples: Samples, speech: Speech) -> list[tuple[float, float]]:
    """(start, finish) in seconds of what the model is given at once: neighbouring spans with their margins.

    None is longer than LONGEST_SECONDS and none overlap. A longer span is cut where it is quietest.
    """
    joined: list[tuple[float, float]] = []
    for start, finish in _short_spans(samples, speech):
        fits = joined and finish - joined[-1][0] <= LONGEST_SECONDS - 2 * MARGIN_SECONDS
        if fits and start - joined[-1][1] <= LONGEST_GAP_SECONDS:
            joined[-1] = (joined[-1][0], finish)
        else:
            joined.append((start, finish))
    end = len(samples) / SAMPLE_RATE
    result = []
    for index, (start, finish) in enumerate(joined):
        before = joined[index - 1][1] if index else 0.0
        after = joined[index + 1][0] if index + 1 < len(joined) else end
        first = max(start - MARGIN_SECONDS, (before + start) / 2 if index else 0.0)
        last = min(finish + MARGIN_SECONDS, (finish + after) / 2 if index + 1 < len(joined) else end)
        result.append((round(first, 3), round(last, 3)))
    return result


def _short_spans(samples: Samples, speech: Speech) -> Iterator[tuple[float, float]]:
    """The spans, those longer than a stretch cut at the quietest 50 ms of the second half of what fits."""
    longest = round((LONGEST_SECONDS - 2 * MARGIN_SECONDS) * 100)
    loudness = np.convolve(frame_rms(samples), np.ones(5), "same")
    for start, finish in speech.spans:
        first, last = round(start * 100), round(finish * 100)
        while last - first > longest:
            half = first + longest // 2
            cut = half + int(np.argmin(loudness[half : first + longest]))
            yield first / 100, cut / 100
            first = cut
        yield first / 100, last / 100


def _recognise(stretch: Samples) -> str:
    """Text of one stretch, on a stream of its own."""
    from moonshine_voice.moonshine_api import TranscriptC

    model = _model()
    library, handle = model.library, model.handle
    # The library drops what is left of the last hop, so the last one is filled up.
    audio = np.pad(stretch, (0, -len(stretch) % _HOP)).astype(np.float32)
    pointer = audio.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    found = ctypes.POINTER(TranscriptC)()
    stream = _checked(library, library.moonshine_create_stream(handle, 0))
    try:
        _checked(library, library.moonshine_start_stream(handle, stream))
        add = library.moonshine_transcribe_add_audio_to_stream
        _checked(library, add(handle, stream, pointer, len(audio), SAMPLE_RATE, 0))
        run = library.moonshine_transcribe_stream
        _checked(library, run(handle, stream, _FORCE_UPDATE, ctypes.byref(found)))
        lines = [found.contents.lines[index] for index in range(found.contents.line_count)]
        texts = [ctypes.string_at(line.text).decode("utf-8", "replace").strip() for line in lines if line.text]
    finally:
        library.moonshine_free_stream(handle, stream)
        _return_free_memory()
    return " ".join(text for text in texts if text)


def _return_free_memory() -> None:
    """Without it the heap grows by up to 40 MB with every stretch: glibc keeps what the library freed."""
    ctypes.CDLL(None).malloc_trim(0)


def _checked(library: Any, result: int) -> int:
    if result < 0:
        message = library.moonshine_error_to_string(result) or b"unknown error"
        raise TranscriberFailed(message.decode("utf-8", "replace"))
    return result

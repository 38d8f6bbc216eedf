"""What rooms, microphones, lines and street noise do to a voice: each must leave the scores where they were."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.interface import SAMPLE_RATE, Samples
from apps.model_runs.wellness.training.codecs import through_codec

CLEAN = "clean"

Signal = NDArray[np.float64]
Disturbance = Callable[[Signal, np.random.Generator], Signal]


def disturb(samples: Samples, name: str, rng: np.random.Generator) -> Samples:
    """The samples under a disturbance of `DISTURBANCES`, or as they are for "clean", at a peak of one half."""
    signal = samples.astype(np.float64)
    changed = signal if name == CLEAN else DISTURBANCES[name](signal, rng)
    scaled = changed * (0.5 / max(float(np.abs(changed).max()), 1e-9))
    return (np.round(scaled * 32_767) / 32_768).astype(np.float32)


def _coloured(exponent: float, decibels: float) -> Disturbance:
    """Noise whose amplitude falls with frequency to the power of `exponent` (pink .5, brown 1)."""

    def add(signal: Signal, rng: np.random.Generator) -> Signal:
        spectrum = np.fft.rfft(rng.standard_normal(len(signal)))
        spectrum[0] = 0
        hertz = np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE)[1:]
        spectrum[1:] /= np.maximum(hertz, 20) ** exponent
        return _add_at(signal, np.fft.irfft(spectrum, len(signal)), decibels)

    return add


def _add_at(signal: Signal, noise: Signal, decibels: float) -> Signal:
    ratio = np.sqrt(np.mean(signal**2) / max(float(np.mean(noise**2)), 1e-20))
    mixed: Signal = signal + noise * ratio * 10 ** (-decibels / 20)
    return mixed


def _filtered(gain: Callable[[Signal], Signal]) -> Disturbance:
    """A linear filter given by its amplitude at each frequency in Hz."""

    def apply(signal: Signal, rng: np.random.Generator) -> Signal:
        frequency = np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE).astype(np.float64)
        return np.fft.irfft(np.fft.rfft(signal) * gain(frequency), len(signal))

    return apply


def _low_pass(edge: float, width: float) -> Callable[[Signal], Signal]:
    return lambda frequency: 1 / (1 + np.exp(np.clip((frequency - edge) / width, -60, 60)))


def _telephone(signal: Signal, rng: np.random.Generator) -> Signal:
    """300-3,400 Hz and eight bits of mu-law, as on a line (ITU-T G.711)."""
    low_pass = _low_pass(3_400, 60)
    band = _filtered(lambda f: low_pass(f) / (1 + np.exp(np.clip((300 - f) / 30, -60, 60))))(signal, rng)
    band = band / max(float(np.abs(band).max()), 1e-9)
    coded = np.round(np.sign(band) * np.log1p(255 * np.abs(band)) / np.log(256) * 127) / 127
    line: Signal = np.sign(coded) * (256 ** np.abs(coded) - 1) / 255
    return line


def _room(seconds: float, decibels: float) -> Disturbance:
    """An exponentially decaying tail that falls by 60 dB in `seconds`, so many decibels under the direct sound."""

    def apply(signal: Signal, rng: np.random.Generator) -> Signal:
        length = int(seconds * SAMPLE_RATE)
        response = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
        response *= 10 ** (-decibels / 20) / np.sqrt(np.sum(response**2))
        response[0] = 1
        size = 1 << (len(signal) + length).bit_length()
        return np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(response, size), size)[: len(signal)]

    return apply


def _recorded_again(signal: Signal, rng: np.random.Generator) -> Signal:
    """Played by a small loudspeaker in a room and recorded with some hiss."""
    band = _filtered(lambda f: _low_pass(6_500, 150)(f) / (1 + np.exp(np.clip((180 - f) / 25, -60, 60))))(signal, rng)
    return _coloured(0.5, 22)(_room(0.3, 4)(band, rng), rng)


def _quiet(signal: Signal, rng: np.random.Generator) -> Signal:
    """40 dB below full scale, where 16 bits leave steps that can be heard."""
    return np.round(signal / max(float(np.abs(signal).max()), 1e-9) * 327) / 327


def _coded(container: str, codec: str, bits_per_second: int, rate: int = SAMPLE_RATE) -> Disturbance:
    return lambda signal, rng: through_codec(signal, container, codec, bits_per_second, rate)


def _tempo(factor: float) -> Disturbance:
    """`factor` times as fast at the same pitch: windows of 30 ms laid closer or wider, each moved by up to 8 ms to
    where it fits its predecessor best (WSOLA: Verhelst and Roelands, ICASSP 1993)."""

    def apply(signal: Signal, rng: np.random.Generator) -> Signal:
        size, reach = int(0.03 * SAMPLE_RATE), int(0.008 * SAMPLE_RATE)
        hop = size // 2
        window = np.hanning(size + 1)[:size]
        padded = np.pad(signal, (reach, size + hop + reach))
        out = np.zeros(int(len(signal) / factor) + size)
        place = reach
        for start in range(0, len(out) - size, hop):
            out[start : start + size] += window * padded[place : place + size]
            natural = padded[place + hop : place + hop + size]
            wanted = min(reach + int((start + hop) * factor), len(padded) - size - reach)
            around = padded[wanted - reach : wanted + reach + size]
            place = wanted - reach + int(np.argmax(np.correlate(around, natural[:size], "valid")))
        return out[: int(len(signal) / factor)]

    return apply


def _tilt(exponent: float) -> Disturbance:
    """A microphone that is brighter (> 0) or darker (< 0): about 6 * exponent dB an octave, level below 100 Hz."""
    return _filtered(lambda frequency: np.maximum(frequency / 1_000, 0.1) ** exponent)


DISTURBANCES: dict[str, Disturbance] = {
    "pink noise 10 dB": _coloured(0.5, 10),
    "white noise 15 dB": _coloured(0, 15),
    "brown noise 10 dB": _coloured(1, 10),
    "telephone": _telephone,
    "room": _room(0.4, 6),
    "large room": _room(0.9, 3),
    "recorded again": _recorded_again,
    "bright microphone": _tilt(0.33),
    "dark microphone": _tilt(-0.33),
    "boomy microphone": _filtered(lambda frequency: 1 + 2 * _low_pass(250, 40)(frequency)),
    "thin microphone": _filtered(lambda frequency: 1 - 0.9 * _low_pass(250, 40)(frequency)),
    "low-pass 5 kHz": _filtered(_low_pass(5_000, 100)),
    "quiet microphone": _quiet,
    "Opus 12 kbit/s": _coded("ogg", "libopus", 12_000),
    "MP3 32 kbit/s": _coded("mp3", "libmp3lame", 32_000),
    "AAC 24 kbit/s": _coded("adts", "aac", 24_000),
    "AMR 7.4 kbit/s": _coded("amr", "libopencore_amrnb", 7_400, rate=8_000),
    "slower by 8 %": _tempo(0.92),
    "faster by 8 %": _tempo(1.08),
}

# What is left of a file that was coded with a loss; the product sees that on the file itself.
LOSSY = frozenset(name for name in DISTURBANCES if "kbit/s" in name)

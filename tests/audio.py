"""Recordings for tests: real speech, sounds that are no speech, disturbances, and files in every format.

No audio is kept in the repository. The two recordings of speech come with the installed package `moonshine_voice` (MIT
licence); everything else is computed. Samples are mono float32 at 16 kHz in -1..1 unless a function says otherwise, and
every function gives the same result on every call.
"""

from __future__ import annotations

import functools
import io
import zlib
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

RATE = 16_000
Samples = NDArray[np.float32]

# container -> encoder used when none is named
ENCODERS = {
    "wav": "pcm_s16le",
    "flac": "flac",
    "mp3": "libmp3lame",
    "mp4": "aac",
    "ogg": "libopus",
    "webm": "libopus",
}
CONTAINERS = tuple(ENCODERS)


# --- Speech ---
def speech_44s() -> Samples:
    """44.4 s of a man reading the opening of "A Tale of Two Cities", with pauses."""
    return _asset("two_cities.wav").copy()


def speech_10s() -> Samples:
    """10.0 s of another voice: six short sentences, "Ever tried. Ever failed. …"."""
    return _asset("beckett.wav").copy()


def asset_path(name: str) -> Path:
    """File of one of the two recordings: `two_cities.wav` (48 kHz) or `beckett.wav` (16 kHz)."""
    return Path(str(files("moonshine_voice"))) / "assets" / name


@functools.cache
def _asset(name: str) -> Samples:
    resampler = av.AudioResampler("flt", "mono", RATE)
    parts = []
    with av.open(str(asset_path(name))) as container:
        for frame in [*container.decode(audio=0), None]:
            parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.float32)


# --- Cutting and joining ---
def cut(samples: Samples, start: float, finish: float) -> Samples:
    """The stretch between two times in seconds."""
    return samples[round(start * RATE) : round(finish * RATE)]


def join(*parts: Samples) -> Samples:
    return np.concatenate(parts)


def repeat_to(samples: Samples, seconds: float) -> Samples:
    """The samples over and over, cut to an exact length."""
    return np.resize(samples, round(seconds * RATE)).astype(np.float32)


def speech(seconds: float) -> Samples:
    """Speech of an exact length, pauses included; beyond 44 s the reading starts again."""
    return repeat_to(speech_44s(), seconds)


# --- Disturbing ---
def level_db(samples: Samples) -> float:
    """Root mean square in dB relative to full scale."""
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


def gain(samples: Samples, db: float) -> Samples:
    return (samples * np.float32(10 ** (db / 20))).astype(np.float32)


def clip(samples: Samples, db: float) -> Samples:
    """Amplifies by `db` and cuts at full scale."""
    return _limited(gain(samples, db))


def flip_lowest_bit(samples: Samples, seed: int = 1) -> Samples:
    """Moves every sample by -1, 0 or +1 of a 16-bit step."""
    steps = np.random.default_rng(seed).integers(-1, 2, len(samples))
    return _limited(samples + steps / 32_768)


def add_noise(samples: Samples, snr_db: float, kind: str = "pink", seed: int = 1) -> Samples:
    """Adds noise so that the whole recording's power lies `snr_db` above the noise's."""
    noise = NOISES[kind](len(samples) / RATE, seed)[: len(samples)]
    return (samples + gain(noise, level_db(samples) - snr_db - level_db(noise))).astype(np.float32)


def mix(first: Samples, second: Samples) -> Samples:
    return _limited(first + np.resize(second, len(first)))


def telephone(samples: Samples) -> Samples:
    """Only 300 to 3400 Hz is left."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    return np.asarray(np.fft.irfft(spectrum, len(samples)), np.float32)


def faster(samples: Samples, factor: float) -> Samples:
    """Played faster: pitch and tempo rise together, so that it sounds like another speaker."""
    times = np.arange(0, len(samples) - 1, factor)
    return np.asarray(np.interp(times, np.arange(len(samples)), samples), np.float32)


# --- Sounds that are no speech ---
def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def white_noise(seconds: float, seed: int = 1) -> Samples:
    return _leveled(np.random.default_rng(seed).standard_normal(round(seconds * RATE)))


def pink_noise(seconds: float, seed: int = 1) -> Samples:
    """Noise whose power falls by 3 dB an octave: ventilation, traffic."""
    return _coloured(seconds, seed, 0.5)


def brown_noise(seconds: float, seed: int = 1) -> Samples:
    """Noise whose power falls by 6 dB an octave: rumble, wind."""
    return _coloured(seconds, seed, 1.0)


def pulsing_noise(seconds: float, seed: int = 1) -> Samples:
    """Pink noise that swells four times a second, as syllables do."""
    times = np.arange(round(seconds * RATE)) / RATE
    return _leveled(pink_noise(seconds, seed) * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * times)))


def hum(seconds: float, seed: int = 1) -> Samples:
    """Mains hum at 50 Hz with its harmonics."""
    times = np.arange(round(seconds * RATE)) / RATE
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, 12)
    return _leveled(sum(np.sin(2 * np.pi * 50 * k * times + phases[k - 1]) / k for k in range(1, 13)))


def tone(seconds: float, frequency: float = 440.0) -> Samples:
    return _leveled(np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE))


def chords(seconds: float, seed: int = 1) -> Samples:
    """Soft held chords, one every two seconds."""
    triads = ((60, 64, 67), (57, 60, 64), (65, 69, 72), (55, 59, 62))
    notes = [(2.0 * i, 2.0, n) for i in range(int(seconds / 2) + 1) for n in triads[i % 4]]
    return _leveled(_notes(seconds, notes, harmonics=8, attack=0.1, decay=1.5))


def melody(seconds: float, seed: int = 1) -> Samples:
    """A plucked tune, four notes a second."""
    scale = (60, 62, 64, 65, 67, 69, 71, 72)
    picks = np.random.default_rng(seed).integers(0, 8, int(seconds * 4) + 1)
    return _leveled(_notes(seconds, [(i / 4, 0.5, scale[p]) for i, p in enumerate(picks)], harmonics=10, decay=0.25))


def drums(seconds: float, seed: int = 1) -> Samples:
    """Kick, snare and hi-hat at 120 beats a minute."""
    random, result = np.random.default_rng(seed), np.zeros(round(seconds * RATE) + RATE)
    times = np.arange(RATE // 4) / RATE
    kick = np.sin(2 * np.pi * (50 + 60 * np.exp(-30 * times)) * times) * np.exp(-12 * times)
    for beat in range(int(seconds * 4)):
        hit = 0.3 * random.standard_normal(len(times)) * np.exp(-60 * times)
        if beat % 4 == 0:
            hit = hit + kick
        if beat % 4 == 2:
            hit = hit + 0.7 * random.standard_normal(len(times)) * np.exp(-20 * times)
        start = beat * RATE // 4
        result[start : start + len(times)] += hit
    return _leveled(result[: round(seconds * RATE)])


def music(seconds: float, seed: int = 1) -> Samples:
    """Chords, melody and drums together."""
    return _leveled(chords(seconds) + melody(seconds, seed) + 0.7 * drums(seconds, seed))


def keyboard(seconds: float, seed: int = 1) -> Samples:
    """Clicks of typing over a quiet room."""
    random, result = np.random.default_rng(seed), 0.002 * pink_noise(seconds, seed).astype(np.float64)
    for start in np.sort(random.integers(0, max(1, len(result) - 800), int(seconds * 5))):
        result[start : start + 800] += random.standard_normal(800) * np.exp(-np.arange(800) / 90) * 0.3
    return result.astype(np.float32)


NOISES = {"white": white_noise, "pink": pink_noise, "brown": brown_noise, "hum": hum}
NOT_SPEECH = {
    "white noise": white_noise,
    "pink noise": pink_noise,
    "brown noise": brown_noise,
    "pulsing noise": pulsing_noise,
    "hum": hum,
    "chords": chords,
    "melody": melody,
    "drums": drums,
    "music": music,
    "keyboard": keyboard,
}


def _limited(samples: NDArray[np.floating]) -> Samples:
    limited: Samples = np.clip(samples, -1, 1).astype(np.float32)
    return limited


def _leveled(samples: NDArray[np.floating]) -> Samples:
    """At -20 dB full scale, the level of ordinary speech."""
    scaled = samples * 10 ** (-20 / 20) / np.sqrt(np.mean(np.square(samples)) + 1e-12)
    return _limited(scaled)


def _coloured(seconds: float, seed: int, slope: float) -> Samples:
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20.0)
    return _leveled(np.fft.irfft(spectrum / frequencies**slope, count))


def _notes(
    seconds: float,
    notes: list[tuple[float, float, int]],
    *,
    harmonics: int,
    decay: float,
    attack: float = 0.005,
) -> NDArray[np.float64]:
    """(start, length, MIDI number) each, as decaying sums of harmonics."""
    result = np.zeros(round(seconds * RATE))
    for start, length, number in notes:
        first = round(start * RATE)
        times = np.arange(min(round(length * RATE), len(result) - first)) / RATE
        if len(times) == 0:
            continue
        frequency = 440 * 2 ** ((number - 69) / 12)
        envelope = np.minimum(times / attack, 1) * np.exp(-times / decay)
        for k in range(1, harmonics + 1):
            result[first : first + len(times)] += envelope * np.sin(2 * np.pi * k * frequency * times) / k
    return result


# --- Files ---
def encode(
    samples: Samples, container: str = "wav", *, codec: str | None = None, rate: int = RATE, channels: int = 1
) -> bytes:
    """A file. `samples` is taken as 16 kHz and resampled to `rate`; every channel carries the same sound."""
    codec = codec or ENCODERS[container]
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[channels]
    if codec == "libopus":
        rate = 48_000  # the only rate that Opus files have
    sink = io.BytesIO()
    with av.open(sink, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        _write_sound(output, stream, samples)
    return sink.getvalue()


def _write_sound(output: OutputContainer, stream: av.AudioStream, samples: Samples) -> None:
    context = stream.codec_context
    frame = av.AudioFrame.from_ndarray(samples[None, :].astype(np.float32), "flt", "mono")
    frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
    resampler = av.AudioResampler(context.format, context.layout, context.rate, context.frame_size or 4096)
    for item in (frame, None):
        for part in resampler.resample(item):
            output.mux(stream.encode(part))
    output.mux(stream.encode(None))


def wav(samples: NDArray[np.generic], *, rate: int = RATE, data_size: int | None = None) -> bytes:
    """A WAV file written byte by byte, for what no encoder would write.

    `samples`: (frames,) or (frames, channels) of int16 or float32. `data_size` replaces the true size in the header.
    """
    frames = samples if samples.ndim == 2 else samples[:, None]
    kind, width = (3, 4) if frames.dtype == np.float32 else (1, 2)
    payload = frames.astype("<f4" if kind == 3 else "<i2").tobytes()
    size = len(payload) if data_size is None else data_size
    channels = frames.shape[1]
    fields = [
        (kind, 2),
        (channels, 2),
        (rate, 4),
        (rate * channels * width, 4),
        (channels * width, 2),
        (8 * width, 2),
    ]
    header = b"".join(value.to_bytes(length, "little") for value, length in fields)
    riff_size = min(36 + size, 0xFFFFFFFF)
    return (
        b"RIFF" + riff_size.to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little") + header
        + b"data" + size.to_bytes(4, "little") + payload
    )  # fmt: skip


def video_file(container: str = "mp4", *, sound: Samples | None = None, seconds: float = 1.0) -> bytes:
    """A small film: a black picture, with sound if samples are given. `container` may be any of the library's."""
    video_codec, audio_codec = {
        "webm": ("libvpx", "libopus"),
        "matroska": ("libvpx", "libopus"),
        "avi": ("mpeg4", "libmp3lame"),
    }.get(container, ("mpeg4", "aac"))
    sink = io.BytesIO()
    with av.open(sink, "w", format=container) as output:
        picture = output.add_stream(video_codec, rate=10)
        assert isinstance(picture, av.VideoStream)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        track = None if sound is None else output.add_stream(audio_codec, rate=48_000, layout="mono")
        for _ in range(round(seconds * 10)):
            output.mux(picture.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(picture.encode(None))
        if sound is not None:
            assert isinstance(track, av.AudioStream)
            _write_sound(output, track, sound)
    return sink.getvalue()


def image_file() -> bytes:
    """A PNG picture."""
    sink = io.BytesIO()
    with av.open(sink, "w", format="image2pipe") as output:
        stream = output.add_stream("png", rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "rgb24"
        output.mux(stream.encode(av.VideoFrame(32, 32, "rgb24")))
        output.mux(stream.encode(None))
    return sink.getvalue()


def ten_hours_of_silence() -> bytes:
    """An Ogg Opus file of 1 MB that decodes to ten hours (RFC 3533, RFC 7845): 1.8 million empty frames of 20 ms."""
    head = b"OpusHead" + bytes((1, 1)) + (0).to_bytes(2, "little") + (48_000).to_bytes(4, "little") + bytes(3)
    tags = b"OpusTags" + bytes(8)
    # A packet of code 3 with 48 frames of 2.5 ms, each of length 0, is 2 bytes for 120 ms.
    packet, packets_a_page, hours = bytes((0x80 | 0x03, 48)), 255, 10
    pages = [_ogg_page([head], 0, 0, first=True), _ogg_page([tags], 1, 0)]
    pages += (
        _ogg_page([packet] * packets_a_page, number + 2, (number + 1) * packets_a_page * 5760)
        for number in range(hours * 3600 * 1000 // (120 * packets_a_page))
    )
    return b"".join(pages)


def _ogg_page(packets: list[bytes], number: int, position: int, *, first: bool = False) -> bytes:
    fields = position.to_bytes(8, "little") + (1).to_bytes(4, "little") + number.to_bytes(4, "little")
    lengths = bytes([len(packets), *(len(packet) for packet in packets)])
    page = b"OggS" + bytes((0, 2 * first)) + fields + bytes(4) + lengths + b"".join(packets)
    return page[:22] + _ogg_checksum(page).to_bytes(4, "little") + page[26:]


def _ogg_checksum(data: bytes) -> int:
    """CRC-32 with polynomial 0x04c11db7, unreflected, start 0: the reflected one of zlib, mirrored in and out."""
    mirrored = data.translate(_MIRRORED)
    # zlib inverts before and after; a start of 0 is had by inverting what it begins with.
    return int(f"{zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF:032b}"[::-1], 2)


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

"""Recordings of every kind, through each decoder."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apps.model_runs.wellness.decode import decode
from apps.model_runs.wellness.interface import ErrorCode, Limits, RecordingRefused
from tests import audio
from tests.model_runs.wellness.conftest import DECODERS, Decode

READING = audio.cut(audio.speech_44s(), 1, 4)
INT16 = (READING * 32_767).astype(np.int16)


def refusal(run: Callable[[], object]) -> RecordingRefused:
    with pytest.raises(RecordingRefused) as caught:
        run()
    return caught.value


def likeness(first: audio.Samples, second: audio.Samples) -> float:
    """Correlation of two recordings' loudness in steps of 10 ms, at the best of the shifts that encoders make."""
    loudness = [
        np.sqrt(np.mean(part[: len(part) // 160 * 160].reshape(-1, 160) ** 2, axis=1)) for part in (first, second)
    ]
    length = min(map(len, loudness)) - 10
    return max(
        float(np.corrcoef(loudness[0][shift : shift + length], loudness[1][:length])[0, 1]) for shift in range(10)
    )


# --- The six formats ---
CODECS = {"wav": "pcm_s16le", "flac": "flac", "mp3": "mp3", "mp4": "aac", "ogg": "opus", "webm": "opus"}


@pytest.mark.parametrize("container", audio.CONTAINERS)
def test_each_of_the_six_formats(pyav: Decode, container: str) -> None:
    recording = pyav(audio.encode(READING, container, rate=48_000))
    assert (recording.container, recording.codec) == (container, CODECS[container])
    assert (recording.source_sample_rate, recording.source_channels) == (48_000, 1)
    assert recording.samples.dtype == np.float32
    assert recording.duration_seconds == pytest.approx(3.0, abs=0.06)
    assert likeness(recording.samples, READING) > 0.97
    assert audio.level_db(recording.samples) == pytest.approx(audio.level_db(READING), abs=1.0)


@pytest.mark.parametrize(
    ("container", "other"),
    [("ogg", "stand-in"), ("mp4", "stand-in"), *((c, o) for o in DECODERS[2:] for c in audio.CONTAINERS)],
)
def test_the_decoders_agree(decode_with: Callable[[str], Decode], container: str, other: str) -> None:
    data = audio.encode(READING, container, rate=44_100, channels=2)
    first, second = decode_with("pyav")(data), decode_with(other)(data)
    assert len(first.samples) == pytest.approx(len(second.samples), abs=32)
    length = min(len(first.samples), len(second.samples))
    assert np.abs(first.samples[:length] - second.samples[:length]).max() < 1e-4
    for name in ("container", "codec", "source_sample_rate", "source_channels"):
        assert getattr(first, name) == getattr(second, name)


def test_samples_at_our_rate_pass_unchanged(decode_bytes: Decode) -> None:
    recording = decode_bytes(audio.wav(INT16))
    assert np.array_equal(recording.samples, INT16.astype(np.float32) / 32_768)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 96_000, 192_000])
def test_sample_rates(pyav: Decode, rate: int) -> None:
    recording = pyav(audio.encode(READING, "wav", rate=rate))
    assert recording.source_sample_rate == rate
    assert recording.duration_seconds == pytest.approx(3.0, abs=0.002)
    assert likeness(recording.samples, READING) > 0.95


@pytest.mark.parametrize("channels", range(1, 8))
def test_numbers_of_channels(pyav: Decode, channels: int) -> None:
    assert_counts(pyav, channels, speaking=channels - 1)


def test_all_channels_count_alike(decode_bytes: Decode) -> None:
    """Also the fourth of eight microphones, which a mixdown made for cinemas leaves out."""
    assert_counts(decode_bytes, 8, speaking=3)


def assert_counts(decode_one: Decode, channels: int, speaking: int) -> None:
    frames = np.zeros((len(INT16), channels), np.int16)
    frames[:, speaking] = INT16
    recording = decode_one(audio.wav(frames))
    assert recording.source_channels == channels
    assert np.abs(recording.samples - INT16.astype(np.float32) / 32_768 / channels).max() < 1e-4


@pytest.mark.parametrize("container", ["flac", "mp4"])
def test_channels_with_names(pyav: Decode, container: str) -> None:
    recording = pyav(audio.encode(READING, container, rate=48_000, channels=6))
    assert recording.source_channels == 6
    assert likeness(recording.samples, READING) > 0.97


def test_a_film_with_sound(decode_bytes: Decode) -> None:
    for container in ("mp4", "webm"):
        recording = decode_bytes(audio.video_file(container, sound=READING, seconds=0.5))
        assert likeness(recording.samples, READING) > 0.97


def test_a_tag_before_the_sound(pyav: Decode) -> None:
    """ID3 tags as players write them: over an MP3, and (against the book) over a FLAC; with any bytes inside."""
    picture = bytes(range(256)) * 300
    tag = b"ID3\x04\x00\x00" + bytes((len(picture) >> shift) & 0x7F for shift in (21, 14, 7, 0)) + picture
    for container in ("mp3", "flac"):
        recording = pyav(tag + audio.encode(READING, container))
        assert recording.container == container
        assert likeness(recording.samples, READING) > 0.97


# --- Damage ---
@pytest.mark.parametrize("container", ["wav", "flac", "ogg", "webm"])
def test_a_file_that_is_cut_gives_what_is_there(pyav: Decode, container: str) -> None:
    assert_gives_the_beginning(pyav, container)


def test_an_mp3_that_is_cut_gives_what_is_there(decode_bytes: Decode) -> None:
    assert_gives_the_beginning(decode_bytes, "mp3")


def assert_gives_the_beginning(decode_one: Decode, container: str) -> None:
    data = audio.encode(READING, container)
    recording = decode_one(data[: len(data) * 2 // 3])
    assert 1.0 < recording.duration_seconds < 2.5
    assert likeness(recording.samples, READING) > 0.95


def test_an_mp4_without_its_index_cannot_be_decoded(decode_bytes: Decode) -> None:
    data = audio.encode(READING, "mp4")  # its index stands at the end
    refused = refusal(lambda: decode_bytes(data[: len(data) * 2 // 3]))
    assert (refused.code, refused.reason) == (ErrorCode.INVALID_FORMAT, "The MP4 file could not be decoded.")


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_that_lies_about_its_size(pyav: Decode, size: int) -> None:
    """As recorders write it that cannot go back to the beginning."""
    recording = pyav(audio.wav(INT16, data_size=size))
    assert len(recording.samples) == len(INT16)


def test_a_few_samples_that_are_no_numbers_become_silence(decode_bytes: Decode) -> None:
    samples = READING.copy()
    samples[1000:1100], samples[2000], samples[3000], samples[4000] = np.nan, np.inf, 1e30, -1e30
    recording = decode_bytes(audio.wav(samples))
    assert not recording.samples[1000:1100].any()
    assert recording.samples[2000] == 0
    assert recording.samples[3000:4001:1000].tolist() == [1.0, -1.0]
    assert np.array_equal(recording.samples[5000:], READING[5000:])


def test_a_file_of_no_numbers_is_refused(pyav: Decode) -> None:
    refused = refusal(lambda: pyav(audio.wav(np.full(16_000, np.nan, np.float32))))
    assert refused.code == ErrorCode.INVALID_FORMAT
    assert refused.reason == "The WAV file is damaged: 100 % of its samples are not numbers."


# --- What is refused ---
def test_a_film_without_sound(decode_bytes: Decode) -> None:
    for container, name in (("mp4", "MP4"), ("webm", "WebM")):
        data = audio.video_file(container)
        refused = refusal(functools.partial(decode_bytes, data))
        assert (refused.code, refused.reason) == (ErrorCode.INVALID_FORMAT, f"The {name} file holds no sound.")


def test_an_empty_file(pyav: Decode) -> None:
    refused = refusal(lambda: pyav(b""))
    assert (refused.code, refused.reason) == (ErrorCode.INVALID_FORMAT, "The recording is empty (0 bytes).")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (audio.wav(np.zeros((1600, 9), np.int16)), "The WAV file has 9 channels; at most 8 are accepted."),
        (
            audio.wav(INT16, rate=7_999),
            "The WAV file has a sample rate of 7999 Hz; 8000 to 192000 Hz are accepted.",
        ),
        (audio.wav(np.zeros(0, np.int16)), "The WAV file holds no sound that can be decoded."),
        (b"fLaC" + b"\xff" * 5000, "The FLAC file could not be decoded."),
    ],
    ids=["channels", "rate", "no samples", "hollow"],
)
def test_what_lies_outside_the_bounds(pyav: Decode, data: bytes, reason: str) -> None:
    refused = refusal(lambda: pyav(data))
    assert (refused.code, refused.reason) == (ErrorCode.INVALID_FORMAT, reason)


def test_a_codec_that_is_not_on_the_list(decode_bytes: Decode) -> None:
    refused = refusal(lambda: decode_bytes(audio.encode(READING, "wav", codec="adpcm_swf", rate=44_100)))
    assert refused.code == ErrorCode.INVALID_FORMAT
    assert refused.reason == "The WAV file holds sound in a form that is not accepted (adpcm_swf)."


def test_a_file_of_which_only_the_name_is_right(decode_bytes: Decode) -> None:
    refused = refusal(lambda: decode_bytes(b"OggS" + bytes(5000)))
    assert (refused.code, refused.reason) == (ErrorCode.INVALID_FORMAT, "The Ogg file could not be decoded.")


# --- Length ---
def test_the_whole_of_the_longest_recording_is_accepted(pyav: Decode) -> None:
    assert pyav(audio.encode(audio.silence(180.0), "wav")).duration_seconds == 180.0
    assert pyav(audio.encode(audio.silence(180.0), "mp3")).duration_seconds == pytest.approx(180, abs=0.09)
    assert refusal(lambda: pyav(audio.encode(audio.silence(180.1), "wav"))).code == ErrorCode.TOO_LONG


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_length_is_compared_in_tenths_of_a_second(pyav: Decode, rate: int) -> None:
    assert pyav(audio.encode(audio.speech(3.09), "wav", rate=rate), 3.0).duration_seconds > 3.08
    refused = refusal(lambda: pyav(audio.encode(audio.speech(3.1), "wav", rate=rate), 3.0))
    assert refused.code == ErrorCode.TOO_LONG
    assert refused.reason == "The recording lasts 3.1 s; at most 3 s are accepted."
    assert refused.duration_seconds == pytest.approx(3.1, abs=0.001)


def test_ten_hours_of_silence_in_a_megabyte(decode_bytes: Decode) -> None:
    refused = refusal(lambda: decode_bytes(audio.ten_hours_of_silence()))
    assert refused.code == ErrorCode.TOO_LONG
    assert refused.reason == "The recording lasts 35985.6 s; at most 180 s are accepted."


def test_a_long_recording_of_unknown_length(pyav: Decode) -> None:
    data = audio.wav((audio.speech(5.0) * 32_767).astype(np.int16), data_size=0xFFFFFFFF)
    refused = refusal(lambda: pyav(data, 3.0))
    assert refused.code == ErrorCode.TOO_LONG
    assert refused.duration_seconds is None


# --- The file, and what is imported ---
def test_a_missing_file_is_not_the_recordings_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "absent.wav", Limits())


def test_neither_the_decoder_library_nor_django_is_imported_here() -> None:
    code = (
        "import sys; from apps.model_runs.wellness.decode import decode; from apps.model_runs.wellness.interface import"
        " Limits; decode(sys.argv[1], Limits()); print(sorted({'av', 'django'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(audio.asset_path("beckett.wav"))],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert found.stdout.strip() == "[]"

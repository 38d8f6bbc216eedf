"""Which files are taken for one of the six formats. Nothing is decoded here."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.model_runs.wellness.decode.sniff import CONTAINERS, HEAD_BYTES, container_of, sniff
from tests import audio

SOUND = audio.cut(audio.speech_10s(), 0, 0.5)
FILES = {container: audio.encode(SOUND, container) for container in audio.CONTAINERS}


@pytest.mark.parametrize("container", audio.CONTAINERS)
def test_each_format_is_known_by_its_content(container: str) -> None:
    assert sniff(io.BytesIO(FILES[container])) == container


def test_an_mp3_whose_first_frame_is_cut() -> None:
    assert container_of(FILES["mp3"][100:]) == "mp3"
    assert container_of(bytes(3000) + FILES["mp3"]) == "mp3"


def test_a_streamed_mp4_and_a_large_wav() -> None:
    box = b"\0\0\0\x1cftypiso5\0\0\x02\0iso5hlsfmp42"
    assert container_of(box) == "mp4"
    assert container_of(b"RF64\xff\xff\xff\xffWAVEds64") == "wav"


def adts_frame() -> bytes:
    """A raw AAC frame: the same first bits as an MP3's, layer 0."""
    return bytes((0xFF, 0xF1, 0x50, 0x80, 0x20, 0x1F, 0xFC)) + bytes(250)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 20_000,
        b"\xff" * 20_000,
        b"It was the best of times, it was the worst of times. " * 100,
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<html><body>\xff\xfb\x90\x00</body></html>",
        audio.image_file(),
        b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(5000),
        audio.video_file("avi", sound=SOUND, seconds=0.2),
        audio.video_file("matroska", sound=SOUND, seconds=0.2),
        audio.video_file("mov", sound=SOUND, seconds=0.2),
        audio.encode(SOUND, "adts", codec="aac"),
        audio.encode(SOUND, "mpegts", codec="libmp3lame"),
        audio.encode(SOUND, "mp2", codec="mp2"),
        audio.encode(SOUND, "aiff", codec="pcm_s16be"),
        audio.encode(SOUND, "flv", codec="libmp3lame", rate=44_100),
        audio.encode(SOUND, "w64", codec="pcm_s16le"),
        adts_frame() * 20,
        b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
        b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        b"RIFF\x24\0\0\0AVI LIST",
        b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + adts_frame() * 20,
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + FILES["mp3"],
        b"PK\x03\x04" + FILES["wav"],
    ],
)  # fmt: skip
def test_everything_else_is_not(data: bytes) -> None:
    assert sniff(io.BytesIO(data)) is None


@given(st.binary(max_size=HEAD_BYTES))
def test_random_bytes_are_nothing(data: bytes) -> None:
    assert sniff(io.BytesIO(data)) in {None, *CONTAINERS}


@given(st.sampled_from(CONTAINERS), st.data())
def test_a_damaged_head_is_judged_without_an_error(container: str, data: st.DataObject) -> None:
    """Any cut, and any bytes changed: another answer or none, never an exception."""
    file = bytearray(FILES[container][: data.draw(st.integers(0, 600))])
    for position in data.draw(st.lists(st.integers(0, max(len(file) - 1, 0)), max_size=8)) if file else ():
        file[position] = data.draw(st.integers(0, 255))
    assert sniff(io.BytesIO(bytes(file))) in {None, *CONTAINERS}


@given(st.binary(max_size=200))
def test_any_header_of_ebml_is_judged_without_an_error(data: bytes) -> None:
    assert container_of(b"\x1aE\xdf\xa3" + data) in {None, "webm"}

"""Which of the six containers a file is, judged by its first bytes and by nothing else.

The decoder library recognises hundreds of formats, playlists and network protocols among them. None of that is
reachable: a file is opened only after this module has named it, and only with the demuxer of that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

CONTAINERS = ("wav", "flac", "mp3", "mp4", "ogg", "webm")

HEAD_BYTES = 16 * 1024

# Brands of ISO 14496-12/-14 files that carry sound (www.mp4ra.org). A QuickTime movie ("qt  ") or an AVIF image names
# none of them.
_MP4_BRANDS = frozenset(
    (
        b"isom",
        b"mp41",
        b"mp42",
        b"M4A ",
        b"M4B ",
        b"M4V ",
        b"avc1",
        b"dash",
        b"MSNV",
        b"f4v ",
        b"cmfc",
        b"cmfa",
    )
)
_MP4_IMAGE_BRANDS = frozenset((b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"))

# MPEG audio, layer III: bit rates in kbit/s of index 1..14 and sample rates (ISO 11172-3, 13818-3, and "2.5").
_MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MP3_KBITS = {
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_FRAMES_NEEDED = 3  # in a row; a chance sequence of three is less likely than one in 10**14
_MP3_MAX_JUNK = 2 * 1024  # bytes before the first whole frame: padding, or a frame that was cut


def sniff(file: BinaryIO) -> str | None:
    """The container of an open file, one of CONTAINERS, or None. Reads at most two blocks of HEAD_BYTES."""
    head = file.read(HEAD_BYTES)
    tag = _id3_length(head)
    if tag:
        file.seek(tag)
        after = file.read(HEAD_BYTES)
        if after[:4] == b"fLaC":
            return "flac"
        return "mp3" if _is_mp3(after) else None
    return container_of(head)


def container_of(head: bytes) -> str | None:
    """The container that begins with `head` (without a leading ID3 tag), or None."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return "wav" if head[8:12] == b"WAVE" else None
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm" if _ebml_doc_type(head) == b"webm" else None
    if head[4:8] == b"ftyp":
        return "mp4" if _has_mp4_brand(head) else None
    return "mp3" if _is_mp3(head) else None


def _id3_length(head: bytes) -> int:
    """Bytes that a leading ID3v2 tag takes (ID3v2.4.0 section 3.1); 0 without one."""
    if len(head) < 10 or head[:3] != b"ID3" or head[3] == 0xFF or any(byte > 0x7F for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    footer = 10 if head[5] & 0x10 else 0
    return 10 + size + footer


def _has_mp4_brand(head: bytes) -> bool:
    size = int.from_bytes(head[:4])
    if size < 16 or head[8:12] in _MP4_IMAGE_BRANDS:
        return False
    box = head[: min(size, 1024)]
    brands = [box[8:12], *(box[i : i + 4] for i in range(16, len(box) - 3, 4))]
    return any(brand in _MP4_BRANDS or brand[:3] == b"iso" for brand in brands)


def _ebml_doc_type(head: bytes) -> bytes | None:
    """DocType of an EBML header (RFC 8794 section 11.2.4): "webm", or "matroska", which is not accepted."""
    header_size, position = _ebml_number(head, 4)
    if header_size is None:
        return None
    end = min(position + header_size, len(head))
    while position + 2 < end:
        identifier = head[position : position + 2]
        if identifier[0] & 0xC0 != 0x40:  # an id of another length than two bytes (Void, CRC-32: one byte)
            identifier = head[position : position + 1]
            if not identifier[0] & 0x80:
                return None
        size, position = _ebml_number(head, position + len(identifier))
        if size is None:
            return None
        if identifier == b"\x42\x82":
            return head[position : min(position + size, end)].rstrip(b"\0")
        position += size
    return None


def _ebml_number(data: bytes, position: int) -> tuple[int | None, int]:
    """A variable-size number (RFC 8794 section 4) and the position after it."""
    if position >= len(data) or data[position] == 0:
        return None, position
    length = 9 - data[position].bit_length()
    value = int.from_bytes(data[position : position + length]) & ((1 << (7 * length)) - 1)
    return (value if position + length <= len(data) else None), position + length


def _is_mp3(head: bytes) -> bool:
    start = next((i for i, byte in enumerate(head) if byte), len(head))  # zero padding is not counted as junk
    window = head[start : start + _MP3_MAX_JUNK]
    return any(_frames_follow(head, start + offset) for offset in _sync_offsets(window))


def _sync_offsets(window: bytes) -> Iterator[int]:
    offset = window.find(b"\xff")
    while offset >= 0:
        yield offset
        offset = window.find(b"\xff", offset + 1)


def _frames_follow(data: bytes, position: int) -> bool:
    """Whether layer III frames of one kind lie end to end from `position`: three, or two that end the file."""
    kind = None
    for found in range(_MP3_FRAMES_NEEDED):
        if position >= len(data) and found == _MP3_FRAMES_NEEDED - 1:
            return True  # a very short file
        frame = _mp3_frame(data, position)
        if frame is None or (kind is not None and frame[:2] != kind):
            return False
        kind = frame[:2]
        position += frame[2]
    return True


def _mp3_frame(data: bytes, position: int) -> tuple[int, int, int] | None:
    """MPEG version bits, sample rate and length in bytes of the layer III frame at `position`."""
    header = data[position : position + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0 or header[1] & 0x06 != 0x02:
        return None
    version, bit_rate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bit_rate in (0, 15) or rate == 3:
        return None
    sample_rate = _MP3_RATES[version][rate]
    bits_per_second = 1000 * _MP3_KBITS[3 if version == 3 else 2][bit_rate - 1]
    padding = header[2] >> 1 & 1
    return version, sample_rate, (144 if version == 3 else 72) * bits_per_second // sample_rate + padding

"""DOCX files, which are ZIP archives: bounds before anything is unpacked, and what may not be inside.

The directory of an archive is at its end. It says how large each part is, compressed and not; a part cannot give more
bytes than it says there, since the reader stops.
"""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from apps.patients.documents.inspection.faults import Fault, Refused
from apps.patients.documents.inspection.xml import read_xml

MAX_ENTRIES = 2000
MAX_DIRECTORY_BYTES = 1 << 20  # the directory is read into memory
MAX_ENTRY_BYTES = 64 << 20
MAX_TOTAL_BYTES = 128 << 20
MAX_RATIO = 200  # XML of long tables reaches 50
RATIO_FROM_BYTES = 1 << 20  # a small part may be as regular as it likes
CONTENT_TYPES = "[Content_Types].xml"
REQUIRED = {CONTENT_TYPES, "word/document.xml"}

_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s22xHH")
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # by either method, or the directory itself
# What the reader raises for damage of any kind.
UNREADABLE = (BadZipFile, zlib.error, EOFError, NotImplementedError, OverflowError, ValueError, struct.error)


def opened(file: IO[bytes]) -> ZipFile:
    """The archive, within all bounds. Raises Refused."""
    directory, count = _end_of(file)
    try:
        archive = ZipFile(file)
    except UNREADABLE:
        raise Refused(Fault.ARCHIVE) from None
    entries = archive.infolist()
    if len(entries) != count or len({entry.filename.lower() for entry in entries}) != count:
        raise Refused(Fault.ARCHIVE)
    for entry in entries:
        _check(entry)
    if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        raise Refused(Fault.EXPANDS)
    try:
        spans = sorted(_span(file, entry) for entry in entries)
    except UNREADABLE:  # a place that no file reaches
        raise Refused(Fault.ARCHIVE) from None
    if any(end > start for (_, end), (start, _) in pairwise([*spans, (directory, directory)])):
        raise Refused(Fault.OVERLAP)
    return archive


def check_upload(file: IO[bytes]) -> None:
    """Whether the archive is a DOCX file without macros, as far as that shows without unpacking it. Raises Refused."""
    archive = opened(file)
    if not set(archive.namelist()) >= REQUIRED:
        raise Refused(Fault.TYPE)
    check_names(archive)
    try:
        with archive.open(CONTENT_TYPES) as part:
            read_xml(part, _check_content_type)
    except UNREADABLE:
        raise Refused(Fault.ARCHIVE) from None


def check_names(archive: ZipFile) -> None:
    if any(name.rpartition("/")[2].lower().startswith("vba") for name in archive.namelist()):
        raise Refused(Fault.MACROS)


def _check_content_type(tag: str, attributes: dict[str, str]) -> None:
    if any(word in attributes.get("ContentType", "").lower() for word in ("macroenabled", "vba")):
        raise Refused(Fault.MACROS)


def _end_of(file: IO[bytes]) -> tuple[int, int]:
    """Where the directory begins, and how many entries it has. An archive ends with its directory: what stands behind
    or before it is for other readers than ours, and what needs the format of large archives is none of ours."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - 20))
    tail = file.read()
    if len(tail) < _END.size:
        raise Refused(Fault.ARCHIVE)
    signature, disk, first_disk, here, count, length, offset, comment = _END.unpack(tail[-_END.size :])
    if signature != b"PK\x05\x06" or comment or disk or first_disk or here != count or tail.startswith(b"PK\x06\x07"):
        raise Refused(Fault.ARCHIVE)
    if count > MAX_ENTRIES or length > MAX_DIRECTORY_BYTES:
        raise Refused(Fault.ENTRIES)
    if offset + length + _END.size != size:
        raise Refused(Fault.ARCHIVE)
    return offset, count


def _check(entry: ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise Refused(Fault.LOCKED)
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise Refused(Fault.ARCHIVE)
    if entry.file_size > MAX_ENTRY_BYTES:
        raise Refused(Fault.EXPANDS)
    if entry.file_size > max(RATIO_FROM_BYTES, MAX_RATIO * entry.compress_size):
        raise Refused(Fault.EXPANDS)


def _span(file: IO[bytes], entry: ZipInfo) -> tuple[int, int]:
    """From where to where the entry lies in the file, with its own header."""
    file.seek(entry.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise Refused(Fault.ARCHIVE)
    _, name, extra = _LOCAL.unpack(header)
    return entry.header_offset, entry.header_offset + _LOCAL.size + name + extra + entry.compress_size

"""What is seen of a file without and with opening it, and that no file harms who looks."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from apps.patients.documents import filenames
from apps.patients.documents.inspection import archives, images, whole
from apps.patients.documents.inspection.confined import Bounds, CannotCheck, fault_of
from apps.patients.documents.inspection.faults import BY_STATUS, Fault, Refused
from apps.patients.documents.inspection.upload import file_type_of
from tests.contract.healos.documents import PARTS, TYPES, archive, docx, far_away, image, patched, pdf, relating

HYPERLINK = b'<Relationship Id="1" Type="http://x/relationships/hyperlink" Target="http://x/" TargetMode="External"/>'
TEMPLATE = b'<Relationship Id="2" Type="http://x/attachedTemplate" Target="http://x/a.dotm" TargetMode="External"/>'
PICTURE = b'<Relationship Id="3" Type="http://x/relationships/image" Target="\\\\server\\share\\a.png"/>'
INSIDE = b'<Relationship Id="4" Type="http://x/relationships/image" Target="media/image1.png"/>'


def refusal_of(content: bytes, extension: str = "") -> Fault:
    with pytest.raises(Refused) as refused:
        file_type_of(io.BytesIO(content), extension)
    return refused.value.fault


@pytest.mark.parametrize(
    ("content", "extension", "found"),
    [
        (pdf(), "pdf", "pdf"),
        (pdf(), "", "pdf"),
        (image("JPEG"), "jpg", "jpg"),
        (image("JPEG"), "jpeg", "jpeg"),
        (image("JPEG"), "png", "jpg"),
        (image("PNG"), "png", "png"),
        (docx(), "docx", "docx"),
        (docx(), "doc", "docx"),
    ],
)
def test_the_type_is_that_of_the_content_and_the_extension_where_it_agrees(
    content: bytes, extension: str, found: str
) -> None:
    assert file_type_of(io.BytesIO(content), extension) == found


def _damaged_at(content: bytes, position: int, new: bytes) -> bytes:
    return content[:position] + new + content[position + len(new) :]


def _overlapping() -> bytes:
    """Both entries of the directory name the bytes of the first."""
    content = bytearray(archive(PARTS, zipfile.ZIP_STORED))
    starts = [place for place in range(len(content)) if content[place : place + 4] == b"PK\x01\x02"]
    struct.pack_into("<L", content, starts[1] + 42, struct.unpack_from("<L", content, starts[2] + 42)[0])
    return bytes(content)


def _locked() -> bytes:
    content = bytearray(docx())
    place = content.index(b"PK\x01\x02")
    content[place + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", Fault.EMPTY),
        (b"GIF89a" + bytes(50), Fault.TYPE),
        (b"MZ" + bytes(50), Fault.TYPE),
        (b"only text", Fault.TYPE),
        (b" %PDF-1.7", Fault.TYPE),
        (archive({"a.txt": b"a"}), Fault.TYPE),
        (docx()[:-10], Fault.ARCHIVE),
        (docx() + b"more", Fault.ARCHIVE),
        (b"PK\x03\x04" + bytes(50), Fault.ARCHIVE),
        (_overlapping(), Fault.OVERLAP),
        (_locked(), Fault.LOCKED),
        (archive(PARTS, zipfile.ZIP_LZMA), Fault.ARCHIVE),
        (docx(**{"word/media/zeros.bin": bytes(8 << 20)}), Fault.EXPANDS),
        (docx(**{f"word/{number}": b"" for number in range(archives.MAX_ENTRIES)}), Fault.ENTRIES),
        (docx(**{"word/vbaProject.bin": b"x"}), Fault.MACROS),
        (docx(**{"[Content_Types].xml": TYPES % b"application/vnd.ms-word.document.macroEnabled.main+xml"}),
         Fault.MACROS),
        (docx(**{"[Content_Types].xml": b"<Types>"}), Fault.XML),
        (docx(**{"[Content_Types].xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}), Fault.XML),
        (image("PNG")[:20], Fault.DAMAGED),
        (b"\xff\xd8\xff" + bytes(50), Fault.DAMAGED),
    ],
)  # fmt: skip
def test_what_shows_at_the_upload(content: bytes, fault: Fault) -> None:
    assert refusal_of(content) is fault


@pytest.mark.parametrize(
    "content",
    [
        docx().replace(b"[Content", b"[Kontent", 1),  # where the part begins, and not in the directory
        docx().replace(b"[Content", b"[Con\xffent", 1),
        patched(),
        far_away(),
    ],
)
def test_a_directory_that_says_other_than_its_parts_is_damage(content: bytes) -> None:
    assert refusal_of(content, "docx") is Fault.ARCHIVE


def test_a_name_in_pdf_is_of_a_pdf() -> None:
    assert refusal_of(image("PNG"), "pdf") is Fault.NOT_PDF


def test_the_parts_of_an_archive_are_bounded_one_by_one_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = docx(**{"word/media/a.bin": bytes(1000), "word/media/b.bin": bytes(1000)})
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 2000)
    assert refusal_of(parts) is Fault.EXPANDS
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 10_000)
    assert file_type_of(io.BytesIO(parts), "docx") == "docx"
    monkeypatch.setattr(archives, "MAX_ENTRY_BYTES", 999)
    assert refusal_of(parts) is Fault.EXPANDS


def test_an_image_with_too_many_pixels_is_refused_by_its_header_alone() -> None:
    header = image("PNG")
    for width, height in ((7100, 7100), (30_000, 30_000)):  # the second is more than Pillow itself would open
        changed = _damaged_at(header, 16, struct.pack(">LL", width, height))
        chunk = changed[12:29]
        assert refusal_of(_damaged_at(changed, 29, struct.pack(">L", zlib.crc32(chunk)))) is Fault.PIXELS


# -- The whole file -----------------------------------------------------------------------------------


def whole_refusal(path: Path, content: bytes, file_type: str) -> Fault | None:
    path.write_bytes(content)
    try:
        with path.open("rb") as file:
            if file_type == "pdf":
                whole.check_pdf(file)
            elif file_type == "docx":
                whole.check_docx(file)
            else:
                images.check_whole(file, file_type)
    except Refused as refused:
        return refused.fault
    return None


@pytest.mark.parametrize(
    ("content", "file_type", "fault"),
    [
        (pdf(), "pdf", None),
        (pdf(javascript="app.alert('x')"), "pdf", None),
        (pdf(password="secret"), "pdf", Fault.LOCKED),
        (pdf(pages=0), "pdf", Fault.DAMAGED),
        (image("JPEG"), "jpg", None),
        (image("JPEG", (64, 64))[:-200], "jpg", Fault.DAMAGED),
        (image("PNG", (64, 64))[:-40], "png", Fault.DAMAGED),
        (docx(), "docx", None),
        (relating(HYPERLINK, INSIDE), "docx", None),
        (relating(HYPERLINK, TEMPLATE), "docx", Fault.EXTERNAL),
        (relating(PICTURE), "docx", Fault.EXTERNAL),
        (relating(b'<Relationship Type="http://x/vbaProject" Target="a.bin"/>'), "docx", Fault.MACROS),
        (docx(**{"word/document.xml": b"<a><b></a>"}), "docx", Fault.XML),
        (docx(**{"word/header1.xml": b'<!DOCTYPE a SYSTEM "http://x/"><a/>'}), "docx", Fault.XML),
        (docx(**{"word/media/a.bin": archive({"b": b""})}), "docx", Fault.NESTED),
        (docx(**{"word/embeddings/a.xlsx": archive({"b": b"c"})}), "docx", None),
        (docx(**{"word/embeddings/a.xlsm": archive({"xl/vbaProject.bin": b"c"})}), "docx", Fault.MACROS),
        (docx(**{"word/embeddings/a.xlsx": archive({"b": archive({"c": b"d"})})}), "docx", Fault.NESTED),
    ],
)
def test_what_shows_when_all_is_read(tmp_path: Path, content: bytes, file_type: str, fault: Fault | None) -> None:
    assert whole_refusal(tmp_path / "file", content, file_type) is fault


def test_a_part_that_gives_other_bytes_than_it_says_is_damage(tmp_path: Path) -> None:
    content = archive(PARTS, zipfile.ZIP_STORED)
    place = content.index(b"Hello")
    assert whole_refusal(tmp_path / "file", _damaged_at(content, place, b"Jello"), "docx") is Fault.ARCHIVE


def test_all_frames_of_an_image_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.new("RGB", (10, 10), color) for color in ("red", "blue", "green")]
    content = image("PNG", (10, 10), save_all=True, append_images=frames)
    assert whole_refusal(tmp_path / "file", content, "png") is None
    monkeypatch.setattr(images, "MAX_PIXELS", 399)
    assert whole_refusal(tmp_path / "file", content, "png") is Fault.PIXELS


# -- In the child -------------------------------------------------------------------------------------


def test_every_fault_has_an_exit_status_of_its_own() -> None:
    assert set(BY_STATUS.values()) == set(Fault)
    assert min(BY_STATUS) > 3


def test_a_child_judges_and_no_file_takes_it_too_far(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(relating(TEMPLATE))
    assert fault_of(path, "docx") is Fault.EXTERNAL
    path.write_bytes(b"%PDF-1.7\nnothing that could be read")
    assert fault_of(path, "pdf") is Fault.DAMAGED
    path.write_bytes(image("PNG", (7000, 7000)))
    assert fault_of(path, "png", Bounds(memory_bytes=220 << 20)) is Fault.MEMORY
    assert fault_of(path, "png", Bounds(wall_seconds=0.01)) is Fault.TIME
    assert fault_of(path, "png") is None
    with pytest.raises(CannotCheck):
        fault_of(tmp_path / "absent", "png")


# -- Names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("scan.pdf", "scan.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\maria\\scan.pdf", "scan.pdf"),
        ("a/b\\c.pdf", "c.pdf"),
        ("sc\x00an\r\n.pdf\x7f", "scan.pdf"),
        ("scan\u202efdp.exe", "scanfdp.exe"),
        ("\u2066scan\u2069.pdf\u2028", "scan.pdf"),
        ("Ärztebrief 漢字.pdf", "Ärztebrief 漢字.pdf"),
        ("..", filenames.UNNAMED),
        ("folder/", filenames.UNNAMED),
        (" \x01 ", filenames.UNNAMED),
        ("x" * 300 + ".PDF", "x" * 251 + ".PDF"),
        ("x" * 300, "x" * 255),
        ("x." + "y" * 300, "x." + "y" * 253),
    ],
)
def test_the_last_part_of_a_name_is_kept_as_far_as_it_shows(sent: str, kept: str) -> None:
    assert filenames.cleaned(sent) == kept

"""Files and forms of documents, as tests make them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from tests.contract.healos.patients import PATIENTS

TYPES = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    b'<Override PartName="/word/document.xml" ContentType="%s"/></Types>'
)
PLAIN = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
PARTS = {
    "[Content_Types].xml": TYPES % PLAIN,
    "_rels/.rels": b"<Relationships/>",
    "word/document.xml": b"<document><body>Hello</body></document>",
}
RELATIONSHIPS = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>'
)


def pdf(*, javascript: str = "", password: str = "", pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if javascript:
        action = {"/S": "/JavaScript", "/JS": javascript}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
            {
                NameObject(name): NameObject(value) if value.startswith("/") else TextStringObject(value)
                for name, value in action.items()
            }
        )
    if password:
        writer.encrypt(password, algorithm="AES-256")
    return _written(writer)


def _written(writer: Any) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def image(kind: str = "PNG", size: tuple[int, int] = (8, 8), **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, kind, **options)
    return file.getvalue()


def archive(parts: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)
    return file.getvalue()


def docx(**changes: bytes) -> bytes:
    """`changes` by names of parts, which replace or add."""
    return archive(PARTS | changes)


def patched() -> bytes:
    """A DOCX file whose directory says of a part that it is compressed by a method that nobody has."""
    file = bytearray(docx())
    file[file.index(b"PK\x01\x02") + 8] |= 0x20
    return bytes(file)


def far_away() -> bytes:
    """One whose directory says of its first part that it begins at a place that is no number of the platform's."""
    file = bytearray(docx())
    entry, end = file.index(b"PK\x01\x02"), file.index(b"PK\x05\x06")
    place = struct.pack("<HHQ", 1, 8, 2**64 - 1)
    struct.pack_into("<L", file, end + 12, struct.unpack_from("<L", file, end + 12)[0] + len(place))
    struct.pack_into("<H", file, entry + 30, len(place))
    file[entry + 42 : entry + 46] = b"\xff" * 4
    after_name = entry + 46 + struct.unpack_from("<H", file, entry + 28)[0]
    file[after_name:after_name] = place
    return bytes(file)


def relating(*relationships: bytes) -> bytes:
    """A DOCX file whose main part has these relationships."""
    return docx(**{"word/_rels/document.xml.rels": RELATIONSHIPS % b"".join(relationships)})


def of(patient: Mapping[str, Any]) -> str:
    """The path of a patient's documents."""
    return f"{PATIENTS}/{patient['id']}/documents"


def upload(client: Client, path: str, content: bytes = b"", name: str = "scan.pdf", **fields: Any) -> Any:
    """The reply; `fields` may hold headers, too."""
    headers = fields.pop("headers", {})
    return client.post(path, {"file": SimpleUploadedFile(name, content or pdf()), **fields}, headers=headers)


def form(*parts: tuple[str, str | None, bytes], boundary: str = "line") -> bytes:
    """A form as it is written: field, name of the file or None, content."""
    written = b""
    for field, filename, content in parts:
        of_file = f'; filename="{filename}"' if filename is not None else ""
        written += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"{of_file}\r\n\r\n'.encode()
        written += content + b"\r\n"
    return written + f"--{boundary}--\r\n".encode()


def send_form(client: Client, path: str, body: bytes, content_type: str = "multipart/form-data; boundary=line") -> Any:
    return client.generic("POST", path, body, content_type=content_type)

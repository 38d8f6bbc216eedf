"""The whole judgement of a file: decoded or parsed to its end. Called in a confined child alone."""

from __future__ import annotations

import io
import logging
import re
import warnings
from itertools import islice
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

from PIL import Image
from pypdf import PdfReader

from apps.patients.documents.inspection import archives, images
from apps.patients.documents.inspection.faults import Fault, Refused
from apps.patients.documents.inspection.kinds import EXTENSIONS
from apps.patients.documents.inspection.xml import read_xml

MAX_PAGES = 2000  # of more pages the first are looked at
EMBEDDED = "word/embeddings/"  # where Word keeps the sheets behind charts, archives themselves
_ARCHIVE = b"PK\x03\x04"
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|//|\\\\", re.IGNORECASE)


def check(path: Path, file_type: str) -> None:
    """Raises Refused; anything else that it raises means a damaged file as well."""
    warnings.simplefilter("ignore")
    logging.disable()  # the readers tell of what they mend, with parts of the file
    [kind] = [kind for kind, extensions in EXTENSIONS.items() if file_type in extensions]
    with path.open("rb") as file:
        if kind == "pdf":
            check_pdf(file)
        elif kind == "docx":
            check_docx(file)
        else:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            images.check_whole(file, kind)


def check_pdf(file: IO[bytes]) -> None:
    """Read its objects and pages. What a viewer would execute is read as any other object."""
    reader = PdfReader(file, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Refused(Fault.LOCKED)
    pages = 0
    for page in islice(reader.pages, MAX_PAGES):
        page.get_contents()
        pages += 1
    if not pages:
        raise Refused(Fault.DAMAGED)


def check_docx(file: IO[bytes]) -> None:
    """Unpack every part, and read those that say what the document is made of."""
    archives.check_upload(file)
    _check_parts(archives.opened(file))


def _check_parts(archive: ZipFile) -> None:
    for entry in archive.infolist():
        name = entry.filename.lower()
        try:
            with archive.open(entry) as part:
                if name.endswith((".xml", ".rels")):
                    read_xml(part, _check_relationship if name.endswith(".rels") else lambda tag, attributes: None)
                elif _unpacked(part) == _ARCHIVE:
                    _check_embedded(archive, entry)
        except archives.UNREADABLE:
            raise Refused(Fault.ARCHIVE) from None


def _unpacked(part: IO[bytes]) -> bytes:
    """The first bytes of a part, after reading it to its end, where its checksum is compared."""
    first = part.read(len(_ARCHIVE))
    while part.read(1 << 16):
        pass
    return first


def _check_embedded(archive: ZipFile, entry: ZipInfo) -> None:
    """An archive in an archive is no deeper, and within the same bounds."""
    if not entry.filename.startswith(EMBEDDED):
        raise Refused(Fault.NESTED)
    inner = archives.opened(io.BytesIO(archive.read(entry)))
    archives.check_names(inner)
    for part in inner.infolist():
        with inner.open(part) as content:
            if _unpacked(content) == _ARCHIVE:
                raise Refused(Fault.NESTED)


def _check_relationship(tag: str, attributes: dict[str, str]) -> None:
    if tag.rpartition("}")[2] != "Relationship":
        return
    kind = attributes.get("Type", "").rpartition("/")[2].lower()
    leads_out = attributes.get("TargetMode", "").lower() == "external" or _ABSOLUTE.match(attributes.get("Target", ""))
    if leads_out and kind != "hyperlink":
        raise Refused(Fault.EXTERNAL)
    if kind.startswith("vba"):
        raise Refused(Fault.MACROS)

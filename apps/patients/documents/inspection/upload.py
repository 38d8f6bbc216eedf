"""The judgement at the upload: what shows without unpacking, decoding or parsing the file."""

from __future__ import annotations

from typing import IO

from apps.patients.documents.inspection import archives, images
from apps.patients.documents.inspection.faults import Fault, Refused
from apps.patients.documents.inspection.kinds import EXTENSIONS, SIGNATURE_BYTES, kind_of


def file_type_of(file: IO[bytes], extension: str) -> str:
    """The type of a file that was sent with this extension: the extension itself where the content agrees with it,
    else the canonical one. Raises Refused."""
    file.seek(0)
    head = file.read(SIGNATURE_BYTES)
    kind = kind_of(head)
    if kind is None:
        raise Refused(Fault.TYPE if head else Fault.EMPTY)
    if extension == "pdf" != kind:
        raise Refused(Fault.NOT_PDF)
    file.seek(0)
    if kind == "docx":
        archives.check_upload(file)
    elif kind != "pdf":
        images.opened(file, kind)
    return extension if extension in EXTENSIONS[kind] else kind

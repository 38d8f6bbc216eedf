"""Why a file is refused, in words for whoever sent it. None of them repeats what the file holds."""

from __future__ import annotations

from enum import StrEnum

_FIRST_STATUS = 64  # Python itself ends with 1 or 2


class Fault(StrEnum):
    EMPTY = "The file is empty."
    TYPE = "Only PDF, JPEG, PNG and DOCX files are accepted, judged by their content."
    NOT_PDF = "The name ends in .pdf, but the content is no PDF."
    DAMAGED = "The file is damaged and cannot be read."
    LOCKED = "The file is protected with a password. Send it without."
    PIXELS = "The image is too large: at most 50 million pixels are accepted."
    ARCHIVE = "The DOCX file is damaged: it is no sound ZIP archive."
    ENTRIES = "The DOCX file has too many parts."
    EXPANDS = "The DOCX file is too large when it is unpacked."
    OVERLAP = "The DOCX file is damaged: its parts overlap."
    NESTED = "The DOCX file holds an archive that is no embedded document."
    MACROS = "The document holds macros. Send it without."
    EXTERNAL = "The document loads something from elsewhere. Only hyperlinks may lead out of it."
    XML = "The DOCX file is damaged: a part of it is no sound XML."
    TIME = "The file takes too long to read."
    MEMORY = "The file takes too much memory to read."

    @property
    def exit_status(self) -> int:
        """How a child says it."""
        return _FIRST_STATUS + list(Fault).index(self)


BY_STATUS = {fault.exit_status: fault for fault in Fault}


class Refused(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault

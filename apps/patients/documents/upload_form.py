"""The form of an upload, read as it arrives: nothing of it is held in memory, and what passes a limit is cut off there.

The file goes into a temporary file that has no name, so that whatever ends the request leaves nothing behind.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import StopUpload
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError

from apps.patients.documents.filenames import cleaned, extension_of
from apps.patients.documents.inspection.faults import Fault, Refused
from apps.patients.documents.inspection.kinds import SIGNATURE_BYTES, kind_of
from apps.patients.documents.inspection.upload import file_type_of
from helios_site.api.bodies import drain
from helios_site.api.families.healos.errors import BadRequest, Invalid
from helios_site.api.families.healos.fields import unrecognized
from helios_site.api.families.healos.query import NOT_UTF8, UNREADABLE
from helios_site.api.families.strict_json import announced_length
from helios_site.api.multipart import FormReader, read_by
from helios_site.storage.local import full_disk_is_storage_full
from helios_site.storage.spool import spooled

FILE = "file"
FORM_BYTES = 64 * 1024  # of a form without its file
IN_MEMORY_BYTES = 256 * 1024
WRONG_TYPE = "Content-Type must be multipart/form-data"
NO_LENGTH = "Send the form with a Content-Length header"
UNPARSABLE = "Invalid multipart body"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file within all limits; `content` begins at its beginning."""

    content: IO[bytes]
    size: int
    sha256: str
    filename: str
    file_type: str


class UploadForm:
    """The form of one request. Wherever `POST` is looked at first, which in the browsable API is the check of CSRF, it
    is read by the rules of this module."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._file = _File()
        read_by(request, self._file, most_bytes=settings.HEALOS_DOCUMENT_MAX_BYTES + FORM_BYTES)

    def check_length(self) -> None:
        """Refuse what is announced as too large, without reading more of it than lets the client see the answer."""
        if announced_length(self._request) > settings.HEALOS_DOCUMENT_MAX_BYTES + FORM_BYTES:
            drain(self._request)
            raise Invalid({FILE: [too_large()]})

    def read(self) -> tuple[Upload, dict[str, list[str]]]:
        """The file, and the other fields as they were sent. Raises BadRequest, and Invalid, which names the file."""
        if self._request.content_type != "multipart/form-data":
            raise BadRequest(WRONG_TYPE)
        if not self._request.META.get("CONTENT_LENGTH"):
            raise BadRequest(NO_LENGTH)
        try:
            form = self._request.POST
        except (MultiPartParserError, UnreadablePostError, SuspiciousOperation, LookupError, UnicodeError):
            # The last two of a `charset` that is none, or none for texts.
            raise BadRequest(UNPARSABLE) from None
        if self._file.problems:
            drain(self._request)
            raise Invalid(self._file.problems)
        fields = {name: list(values) for name, values in form.lists()}
        garbled = [name for name, values in fields.items() if UNREADABLE in "".join((name, *values))]
        if garbled:
            raise Invalid({name: [NOT_UTF8] for name in garbled})
        if not self._file.sent_name:
            sent = fields.get(FILE, [""]) != [""]  # a browser sends nothing where no file was chosen
            raise Invalid({FILE: ["Expected file, received string" if sent else "Required"]})
        return self._file.judged(), fields

    def close(self) -> None:
        if self._file.content is not None:
            self._file.content.close()


class _File(FormReader):
    """The one file of a form. The first thing that is wrong ends the reading."""

    def __init__(self) -> None:
        super().__init__()
        self.content: Any = None
        self.sent_name = ""
        self.problems: dict[str, list[str]] = {}
        self._size, self._head, self._sha256 = 0, b"", hashlib.sha256()

    def new_file(self, field_name: str, file_name: str, *others: Any, **more: Any) -> None:
        if field_name != FILE:
            self._refuse(field_name, unrecognized(field_name))
        if self.sent_name:
            self._refuse(FILE, ["Expected one file, received more"])
        self.sent_name = file_name
        self.content = spooled(IN_MEMORY_BYTES)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size += len(raw_data)
        if self._size > settings.HEALOS_DOCUMENT_MAX_BYTES:
            self._refuse(FILE, [too_large()])
        self._head = (self._head + raw_data[:SIGNATURE_BYTES])[:SIGNATURE_BYTES]
        if len(self._head) == SIGNATURE_BYTES and kind_of(self._head) is None:
            self._refuse(FILE, [Fault.TYPE])
        self._sha256.update(raw_data)
        with full_disk_is_storage_full():
            self.content.write(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Nothing for `FILES`: whoever has the form has the file."""

    def judged(self) -> Upload:
        filename = cleaned(self.sent_name)
        try:
            file_type = file_type_of(self.content, extension_of(filename).lower())
        except Refused as refused:
            raise Invalid({FILE: [refused.fault]}) from None
        self.content.seek(0)
        return Upload(self.content, self._size, self._sha256.hexdigest(), filename, file_type)

    def _refuse(self, field: str, messages: list[str]) -> None:
        self.problems = {field: messages}
        self.has_stopped = True
        raise StopUpload(connection_reset=True)


def too_large() -> str:
    """What is said of a file above HEALOS_DOCUMENT_MAX_BYTES."""
    most = settings.HEALOS_DOCUMENT_MAX_BYTES
    return f"The file is too large: at most {most} bytes are accepted."

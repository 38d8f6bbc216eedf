"""Forms with files, read as they arrive by one handler of the caller's: bounded, and refused when they were cut off."""

from __future__ import annotations

from typing import IO, Any, cast

from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.datastructures import MultiValueDict

from helios_site.api.bodies import stall_limit
from helios_site.api.families.strict_json import announced_length

Form = tuple[QueryDict, MultiValueDict[str, Any]]


class FormReader(FileUploadHandler):
    """What takes the files of one form. `has_stopped` once it has had enough: the rest is left unread."""

    has_stopped = False


def read_by(request: HttpRequest, handler: FormReader, *, most_bytes: int) -> None:
    """Wherever `POST` of the request is looked at first, which may be the check of CSRF, `handler` takes its files.

    The look then raises MultiPartParserError for a body that is larger, or that ended early, and
    UnreadablePostError when the client has gone."""

    def parse(meta: Any, body: Any) -> Form:
        counted = _Counted(body, most_bytes)
        parser = _Parser(meta, cast(IO[bytes], counted), [handler], request.encoding)
        with stall_limit(request):
            found: Form = parser.parse()
        if not handler.has_stopped and not counted.ends_well(announced_length(request), parser.end):
            raise MultiPartParserError("the body ended early")
        return found

    request.parse_file_upload = parse  # type: ignore[assignment, method-assign]


class _Parser(MultiPartParser):
    """Leaves names to us: Django passes a file over whose name is only a path."""

    def sanitize_file_name(self, file_name: str) -> str:
        return file_name

    @property
    def end(self) -> bytes:
        """The line that ends the form."""
        boundary: bytes = self._boundary  # type: ignore[attr-defined]
        return b"--" + boundary + b"--"


class _Counted:
    """A body that remembers how much of it was read, and how it ended."""

    def __init__(self, body: Any, most_bytes: int) -> None:
        self._body, self._most, self._read, self._tail = body, most_bytes, 0, b""

    def read(self, *size: int) -> bytes:
        piece: bytes = self._body.read(*size)
        self._read += len(piece)
        self._tail = (self._tail + piece)[-512:]
        if self._read > self._most:
            raise MultiPartParserError("the body is too large")
        return piece

    def ends_well(self, announced: int, end: bytes) -> bool:
        """Django takes a body that was cut off for a whole one."""
        return announced == 0 or (self._read == announced and self._tail.rstrip(b" \t\r\n").endswith(end))

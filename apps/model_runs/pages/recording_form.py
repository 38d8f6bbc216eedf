"""The recording in the form of a new check: hashed by the store, capped, and never whole in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadhandler import SkipFile, StopUpload
from django.http import HttpRequest

from helios_site.api.bodies import PIECE_BYTES
from helios_site.api.families.strict_json import announced_length
from helios_site.api.multipart import FormReader, read_by
from helios_site.storage.local import full_disk_is_storage_full
from helios_site.storage.spool import spooled

FIELD = "recording"
FORM_BYTES = 256 * 1024  # of a form without its file


class SentRecording(FormReader):
    """What arrived under `recording`: `size` is None without a file. A larger one than is taken `is_too_large`, and is
    left where it stands."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__()
        self.size: int | None = None
        self.is_too_large = False
        self._content: IO[bytes] | None = None
        self._most = settings.HELIOS_UPLOAD_MAX_BYTES
        self._announced = announced_length(request)
        read_by(request, self, most_bytes=self._most + FORM_BYTES)

    def new_file(self, field_name: str, *others: Any, **more: Any) -> None:
        if field_name != FIELD or self.size is not None:
            raise SkipFile
        self.size = 0
        self._content = spooled(PIECE_BYTES)
        if self._announced > self._most + FORM_BYTES:
            self._refuse()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self.size is not None
        assert self._content is not None
        self.size += len(raw_data)
        if self.size > self._most:
            self._refuse()
        with full_disk_is_storage_full():
            self._content.write(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Nothing for `FILES`: whoever has this has the file."""

    def pieces(self) -> Iterator[bytes]:
        """Its bytes, from the first on."""
        assert self._content is not None
        self._content.seek(0)
        while piece := self._content.read(PIECE_BYTES):
            yield piece

    def close(self) -> None:
        if self._content is not None:
            self._content.close()

    def _refuse(self) -> None:
        self.is_too_large = self.has_stopped = True
        raise StopUpload(connection_reset=True)

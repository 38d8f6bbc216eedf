"""Files for the time of one request."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import IO

from django.conf import settings

from helios_site.storage.local import incoming_folder


def spooled(in_memory_bytes: int) -> IO[bytes]:
    """A file without a name, so that whatever ends the request leaves nothing behind; up to `in_memory_bytes` it is no
    file at all. Raises StorageFull.

    It is on the disk of the recordings, with every store: `/tmp` is memory where Helios runs in a container.
    """
    folder = incoming_folder(settings.HELIOS_RECORDINGS_DIR)
    return SpooledTemporaryFile(in_memory_bytes, dir=str(folder))

"""Large bodies in and out: bounded, and never for longer than the client goes on sending, or reading."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.http import FileResponse, HttpRequest
from django.http.request import UnreadablePostError

PIECE_BYTES = 256 * 1024
STALL_SECONDS = 30  # a client that sends, or takes, nothing for so long gives its thread back
# A stream holds a transaction open, which holds up the clean-up of the whole database.
LONGEST_STREAM_SECONDS = 3600.0
DRAIN_BYTES = 8 * 1024 * 1024  # read past a refusal, so that a client that is still sending gets to see it


class Cut(Exception):
    """Fewer bytes came than were announced."""


def pieces_of(request: HttpRequest, size: int) -> Iterator[bytes]:
    """The `size` announced bytes of a body. Raises Cut, or UnreadablePostError, when it ends early."""
    left = size
    while left:
        piece = request.read(min(PIECE_BYTES, left))
        if not piece:
            raise Cut
        left -= len(piece)
        yield piece


def drain(request: HttpRequest) -> None:
    """Read a bounded part of a body that is refused: closing a connection with unread bytes resets it."""
    try:
        with stall_limit(request):
            left = DRAIN_BYTES
            while left > 0 and (piece := request.read(PIECE_BYTES)):
                left -= len(piece)
    except UnreadablePostError:
        pass  # the client has gone, and with it the reason to drain


def sent_in_time(request: HttpRequest, pieces: Iterable[bytes], *, within: float = math.inf) -> Iterator[bytes]:
    """The pieces of a streamed reply, each of which the client has to take before the limit. Raises TooSlow, which
    cuts the reply off, when it has not taken all of them in `within` seconds."""
    until = time.monotonic() + within
    try:
        with stall_limit(request):
            for piece in pieces:
                if time.monotonic() >= until:
                    raise TooSlow
                yield piece
    finally:
        if isinstance(pieces, Generator):
            pieces.close()  # at once: it may hold a transaction


def file_in_time(request: HttpRequest, response: FileResponse) -> FileResponse:
    """A reply that is a file, likewise: the server's own way of sending one waits for a silent client for ever."""
    reply: Any = response
    reply.block_size = PIECE_BYTES
    reply.streaming_content = sent_in_time(request, reply.streaming_content)
    return response


class TooSlow(Exception):
    """The client takes the reply, but so slowly that what is held for it has to be given back."""


@contextmanager
def stall_limit(request: HttpRequest) -> Iterator[None]:
    """gunicorn's threads wait for a silent client for ever; its socket takes a limit."""
    connection: Any = request.META.get("gunicorn.socket")
    if connection is None:
        yield
        return
    before = connection.gettimeout()
    connection.settimeout(STALL_SECONDS)
    try:
        yield
    finally:
        connection.settimeout(before)

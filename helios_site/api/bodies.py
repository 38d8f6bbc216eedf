"""Large bodies in and out: bounded, and never for longer than the client goes on sending, or reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest
from django.http.request import UnreadablePostError

PIECE_BYTES = 256 * 1024
STALL_SECONDS = 30  # a client that sends, or takes, nothing for so long gives its thread back
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


def sent_in_time(request: HttpRequest, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a streamed reply, each of which the client has to take before the limit."""
    with stall_limit(request):
        yield from pieces


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

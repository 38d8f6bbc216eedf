"""One guarded POST: pinned address, verified certificate, no redirects, no proxies, one deadline, a capped answer."""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from helios_site.env import Network
from helios_site.outgoing.addresses import CannotResolve, IPAddress, require_allowed
from helios_site.outgoing.targets import Target


class CannotReach(Exception):
    """No whole answer line came. The text says what failed, without addresses."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: the status, and of the body no more than the first `max_body` bytes."""

    status: int
    body: bytes


def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout: float,
    allowed: Sequence[Network] = (),
    ca_file: str = "",
    max_body: int = 2048,
) -> Answer:
    """Send `body` and read the answer, everything within `timeout` seconds. A redirect is an answer like any other.

    Raises Refused before anything is sent, CannotReach when no status came.
    """
    deadline = time.monotonic() + timeout
    try:
        addresses = require_allowed(target, allowed, timeout=timeout)
        with _connect(addresses, target, deadline, ca_file) as connected:
            return _exchange(target, _Stream(connected, deadline), body, headers, max_body)
    except CannotResolve:
        raise CannotReach("the name has no address") from None
    except TimeoutError:
        raise CannotReach(f"no answer within {timeout:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise CannotReach(f"its certificate is not valid: {error.verify_message}") from None
    except ssl.SSLError:
        raise CannotReach("no encrypted connection could be made") from None
    except ConnectionRefusedError:
        raise CannotReach("the connection was refused") from None
    except OSError:
        raise CannotReach("the connection failed") from None
    except HTTPException:
        raise CannotReach("the answer is not HTTP") from None


def _connect(addresses: Sequence[IPAddress], target: Target, deadline: float, ca_file: str) -> socket.socket:
    """A connection to the first address that takes one; each gets a fair share of the time that is left."""
    last: OSError = OSError()
    for number, address in enumerate(addresses):
        share = _left(deadline) / (len(addresses) - number)
        try:
            plain = socket.create_connection((str(address), target.port), share)
        except OSError as error:
            last = error
            continue
        if not target.is_encrypted:
            return plain
        plain.settimeout(_left(deadline))
        try:
            return _context(ca_file).wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise
    raise last


@cache
def _context(ca_file: str) -> ssl.SSLContext:
    """The system's authorities and those of `ca_file`; TLS 1.2 or newer; certificate and name are verified."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _exchange(target: Target, stream: _Stream, body: bytes, headers: Mapping[str, str], max_body: int) -> Answer:
    connection: Any = HTTPConnection(target.host, target.port)
    connection.default_port = 443 if target.is_encrypted else 80  # which `Host` leaves out
    connection.sock, connection.auto_open = stream, 0
    connection.request("POST", target.path, body, {**headers, "Connection": "close"})
    response: HTTPResponse = connection.getresponse()
    with response:
        return Answer(response.status, _beginning(response, max_body))


def _beginning(response: HTTPResponse, size: int) -> bytes:
    """What comes of the body before the deadline, the end, or a fault; the status stands whatever the body does."""
    found = b""
    try:
        while len(found) < size and (part := response.read1(size - len(found))):
            found += part
    except (OSError, HTTPException, ValueError):
        return found
    return found


class _Stream:
    """A socket as `http.client` uses it, on which no wait goes beyond the deadline: a peer that sends a byte now and
    then would keep a timeout of each single wait away for ever."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self.connected, self.deadline = connected, deadline

    def sendall(self, data: bytes) -> None:
        self.connected.settimeout(_left(self.deadline))
        self.connected.sendall(data)  # its timeout is for the whole of the data

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """Whoever connected closes."""


class _Reader(io.RawIOBase):
    def __init__(self, stream: _Stream) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._stream.connected.settimeout(_left(self._stream.deadline))
        return self._stream.connected.recv_into(buffer)


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises TimeoutError once there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left

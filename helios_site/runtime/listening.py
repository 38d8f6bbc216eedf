"""The web server's socket.

The supervisor opens it, so that a taken port is known before anything starts and a restart of the web process
refuses no connection.
"""

from __future__ import annotations

import errno
import http.client
import socket


class PortError(Exception):
    """The address cannot be listened on; the message is one line for the operator."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises PortError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            line = f"Port {port} is already in use; name another with --port, such as --port {port + 1}."
        elif error.errno == errno.EACCES:
            line = f"Port {port} needs root; choose one above 1023 with --port."
        else:
            line = f"Cannot listen on {host}: {error.strerror}."
        raise PortError(line) from error


def reachable_host(host: str) -> str:
    """The name to call for a socket that listens on `host`: a wildcard is not an address to connect to."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared


def base_url(host: str, port: int) -> str:
    name = reachable_host(host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


class ReadinessProbe:
    """Asks `/readyz` without blocking: the caller waits on `fileno()` beside its own events.

    The socket accepts before the web process is up, so one request usually does: it waits in the queue.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = reachable_host(host), port
        self._connection = self._ask()

    def fileno(self) -> int:
        return int(self._connection.sock.fileno())

    def answer(self) -> tuple[bool, str]:
        """Read the answer that has arrived: whether it is 200, and its text. A refusal is asked again."""
        try:
            response = self._connection.getresponse()
            ready, text = response.status == 200, response.read(2000).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            ready, text = False, str(error)
        self._connection.close()
        if not ready:
            self._connection = self._ask()
        return ready, text

    def close(self) -> None:
        self._connection.close()

    def _ask(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
        # The name 127.0.0.1 is always among the allowed hosts, whatever address is listened on.
        connection.request("GET", "/readyz", headers={"Host": f"127.0.0.1:{self._port}"})
        return connection

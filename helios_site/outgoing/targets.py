"""Reading the URL of an outgoing call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_URL_CHARS = 1000
_PORTS = {"https": 443, "http": 80}
_PRINTABLE_ASCII = re.compile(r"[!-~]+")
# What a name may consist of; an IPv6 address stands in brackets, which the parser has taken off.
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")


class InvalidURL(ValueError):
    """The text says what is wrong, without the URL."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes. `path` holds the query too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_encrypted(self) -> bool:
        return self.scheme == "https"


def parse(url: str) -> Target:
    """An absolute http or https URL in ASCII, without user, password and fragment. Raises InvalidURL."""
    if len(url) > MAX_URL_CHARS:
        raise InvalidURL(f"it has more than {MAX_URL_CHARS} characters")
    if _PRINTABLE_ASCII.fullmatch(url) is None or "\\" in url:
        raise InvalidURL("it must be written in ASCII without spaces and backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidURL("host or port cannot be read") from None
    if parts.scheme not in _PORTS:
        raise InvalidURL("it must begin with https://")
    if "@" in parts.netloc or "#" in url:
        raise InvalidURL("user, password and fragment have no place in it")
    host = parts.hostname or ""
    if _HOST.fullmatch(host) is None or port == 0:
        raise InvalidURL("host or port cannot be read")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path)

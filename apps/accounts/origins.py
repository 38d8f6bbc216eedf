"""Web origins: whose pages may show the hosted activity in a frame, and where it may return to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from helios_site.env import ORIGIN

MAX_ORIGINS = 20
MAX_ORIGIN_CHARS = 200
_DEFAULT_PORTS = {"https": 443, "http": 80}


def check_origin(origin: str) -> None:
    """Raises ValidationError for what is no origin, and for http elsewhere than on this machine."""
    if re.fullmatch(ORIGIN, origin) is None or origin_of(origin) != origin:
        raise ValidationError(
            "An origin is https:// and a host in small letters, with a port where it is not 443, and nothing after it: "
            "https://clinic.example.org. (Names with letters beyond a to z are written as xn--…)"
        )


def clean_origins(origins: Iterable[str]) -> list[str]:
    """The origins in the form that browsers send, each once. Raises ValidationError."""
    found = list(dict.fromkeys(origin_of(origin) or origin for origin in origins))
    if len(found) > MAX_ORIGINS:
        raise ValidationError(f"There may be {MAX_ORIGINS} origins. Remove some.")
    for origin in found:
        if len(origin) > MAX_ORIGIN_CHARS:
            raise ValidationError(f"An origin has at most {MAX_ORIGIN_CHARS} characters.")
        check_origin(origin)
    return found


def origin_of(url: str) -> str | None:
    """Scheme, host and port of an http or https URL, as a browser writes them; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc or "\\" in url:
        return None
    shown = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{parts.hostname}{shown}"

"""Strict reading of environment variables: a mistyped value stops the start with one clear line."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

# `scheme://host` or `scheme://host:port` in the form that browsers send, without anything that could end a header's
# word: https, and http for pages on this machine alone.
ORIGIN = r"(https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?|http://(localhost|127\.0\.0\.1))(:[1-9][0-9]{0,4})?"
T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` calls in any `seconds`."""

    limit: int
    seconds: int


def parse_rate(text: str) -> Rate:
    """`"600/60"` → 600 calls in 60 seconds."""
    found = re.fullmatch(r"([1-9][0-9]{0,6})/([1-9][0-9]{0,4})", text)
    if not found:
        raise ValueError('use the form "calls/seconds", for example "600/60"')
    return Rate(int(found[1]), int(found[2]))


def parse_networks(items: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(item) for item in items)


def parse_database_url(url: str) -> dict[str, object]:
    """A `postgresql://` URL as Django's DATABASES entry; query options go to libpq, `host` may be a socket folder."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError('it must begin with "postgresql://"')
    options: dict[str, object] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or (unquote(parts.hostname) if parts.hostname else "")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ValueError("it names no database; write postgresql://user:password@host/database")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def celery_broker_url(redis_url: str) -> str:
    """The same server as Celery names it: it writes a Unix socket in its own way."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = dict(parse_qsl(parts.query)).get("db", "0")
    credentials = f":{parts.password}@" if parts.password else ""
    return f"redis+socket://{credentials}{parts.path}?virtual_host={database}"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails go, and how: `starttls` and `tls` exclude each other."""

    host: str
    port: int
    user: str
    password: str
    starttls: bool
    tls: bool


_MAIL_SCHEMES = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


def parse_mail_url(url: str) -> MailServer:
    """`smtp://` (STARTTLS), `smtps://` (TLS from the first byte) or `smtp+plain://` (no TLS), with a host."""
    parts = urlsplit(url)
    if parts.scheme not in _MAIL_SCHEMES:
        raise ValueError('it must begin with "smtp://", "smtps://" or "smtp+plain://"')
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("write smtp://user:password@host:port, with special characters as %40")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("it needs a user and a password, or neither")
    return MailServer(
        host=parts.hostname,
        port=parts.port or _MAIL_SCHEMES[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp",
        tls=parts.scheme == "smtps",
    )


class Environment:
    """Typed access to one mapping of variables; remembers every name it was asked for, with its default."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.declared: dict[str, str] = {}  # name -> default as an operator would write it

    def _read(self, name: str, default: T, shown: str, parse: Callable[[str], T]) -> T:
        self.declared[name] = shown
        raw = self._variables.get(name)
        if raw is None or raw == "":
            return default
        try:
            return parse(raw)
        except ValueError as error:
            # Secrets pass through here too: the message never repeats the value.
            raise ImproperlyConfigured(f"{name} cannot be used: {error}.") from None

    def text(self, name: str, default: str = "", *, min_bytes: int = 0, shown: str | None = None) -> str:
        def parse(raw: str) -> str:
            if len(raw.encode()) < min_bytes:
                raise ValueError(f"it must have at least {min_bytes} bytes")
            return raw

        return self._read(name, default, default if shown is None else shown, parse)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        def parse(raw: str) -> str:
            if raw not in allowed:
                raise ValueError("it must be one of " + ", ".join(allowed))
            return raw

        return self._read(name, default, default, parse)

    def boolean(self, name: str, default: bool) -> bool:
        def parse(raw: str) -> bool:
            if raw.lower() not in ("true", "false", "1", "0"):
                raise ValueError("it must be true or false")
            return raw.lower() in ("true", "1")

        return self._read(name, default, str(default).lower(), parse)

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        def parse(raw: str) -> int:
            if not re.fullmatch(r"-?[0-9]{1,18}", raw) or not low <= int(raw) <= high:
                raise ValueError(f"it must be a whole number from {low} to {high}")
            return int(raw)

        return self._read(name, default, str(default), parse)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        def parse(raw: str) -> float:
            if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", raw) or not low <= float(raw) <= high:
                raise ValueError(f"it must be a number from {low:g} to {high:g}")
            return float(raw)

        return self._read(name, default, f"{default:g}", parse)

    def rate(self, name: str, default: str) -> Rate:
        return self._read(name, parse_rate(default), default, parse_rate)

    def words(
        self,
        name: str,
        default: tuple[str, ...] = (),
        *,
        pattern: str = r".+",
        min_bytes: int = 0,
        shown: str | None = None,
    ) -> tuple[str, ...]:
        """A comma-separated list; each item must match `pattern` whole."""

        def parse(raw: str) -> tuple[str, ...]:
            items = tuple(item.strip() for item in raw.split(","))
            for position, item in enumerate(items, 1):
                if not re.fullmatch(pattern, item) or len(item.encode()) < min_bytes:
                    raise ValueError(f"item {position} of its comma-separated list is not of the expected form")
            return items

        return self._read(name, default, ",".join(default) if shown is None else shown, parse)

    def time_zone(self, name: str, default: str) -> ZoneInfo:
        def parse(raw: str) -> ZoneInfo:
            try:
                return ZoneInfo(raw)
            except (ZoneInfoNotFoundError, OSError):
                raise ValueError("it must be the name of a time zone such as Europe/London") from None

        return self._read(name, ZoneInfo(default), default, parse)

    def networks(self, name: str) -> tuple[Network, ...]:
        return self._read(name, (), "", lambda raw: parse_networks(tuple(raw.replace(" ", "").split(","))))

    def cuts(self, name: str, default: tuple[float, float, float]) -> tuple[float, float, float]:
        """Three increasing numbers between 0 and 1."""

        def parse(raw: str) -> tuple[float, float, float]:
            values = [float(item) for item in raw.split(",")]
            if len(values) != 3 or not 0 < values[0] < values[1] < values[2] < 1:
                raise ValueError("it must be three increasing numbers between 0 and 1")
            return values[0], values[1], values[2]

        return self._read(name, default, ",".join(f"{value:g}" for value in default), parse)

    def base_url(self, name: str, default: str) -> str:
        def parse(raw: str) -> str:
            parts = urlsplit(raw)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                raise ValueError("it must be an http or https address such as https://helios.example.org")
            return raw.rstrip("/")

        return self._read(name, default, default, parse)

    def redis_url(self, name: str) -> str:
        def parse(raw: str) -> str:
            if urlsplit(raw).scheme not in ("redis", "rediss", "unix"):
                raise ValueError('it must begin with "redis://", "rediss://" or "unix://"')
            return raw

        return self._read(name, "", "", parse)

    def mail_server(self, name: str) -> MailServer | None:
        return self._read(name, None, "", parse_mail_url)

    def database(self, name: str, default_url: str) -> dict[str, object]:
        """The default is shown empty: it is the embedded server's."""
        return self._read(name, parse_database_url(default_url), "", parse_database_url)

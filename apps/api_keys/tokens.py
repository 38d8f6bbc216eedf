"""The form of a raw key: `hlsk_`, random base62 characters, and six characters of checksum.

The checksum refuses typing errors and scanner noise without a query; it is no security measure. What is
stored is only the HMAC-SHA-256 of the whole raw key under a secret pepper: the key has 190 random bits, so
a slow password hash would cost time and add nothing.
"""

from __future__ import annotations

import hmac
import re
import secrets
import zlib

from django.conf import settings

PREFIX = "hlsk_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MAX_HEADER_CHARS = 64

_CHECKSUM_CHARS = 6
_SHORTEST, _LONGEST = 38, 49  # characters after the prefix, checksum included
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_SHORTEST},{_LONGEST}}}")
# A look-ahead: the last letters of one key may begin the next.
_CANDIDATE = re.compile(rf"(?=({PREFIX}[0-9A-Za-z]{{{_SHORTEST},{_LONGEST}}}))")


def checksum(text: str) -> str:
    """CRC32 of the ASCII `text` as six base62 digits, most significant first."""
    number = zlib.crc32(text.encode("ascii"))
    digits = []
    for _ in range(_CHECKSUM_CHARS):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def generate() -> str:
    """A new raw key with `API_KEY_RANDOM_CHARS` random characters."""
    body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(settings.API_KEY_RANDOM_CHARS))
    return body + checksum(body)


def is_well_formed(text: str) -> bool:
    """Whether `text` has the form of a key and a true checksum. Costs no query."""
    return (
        len(text) <= MAX_HEADER_CHARS
        and _FORM.fullmatch(text) is not None
        and checksum(text[:-_CHECKSUM_CHARS]) == text[-_CHECKSUM_CHARS:]
    )


def display_prefix(raw_key: str) -> str:
    """The first characters, by which people recognise a key; far too few to guess the rest."""
    return raw_key[: settings.API_KEY_DISPLAY_CHARS]


def digest(raw_key: str) -> bytes:
    """The 32 bytes to store: HMAC-SHA-256 under the newest pepper."""
    return _digest(settings.API_KEY_PEPPERS[0], raw_key)


def digests(raw_key: str) -> list[bytes]:
    """One digest for each pepper, newest first: what a stored key may look like while peppers rotate."""
    return [_digest(pepper, raw_key) for pepper in settings.API_KEY_PEPPERS]


def pepper_version() -> str:
    """Sixteen hexadecimal characters that name the newest pepper and tell nothing about it."""
    return pepper_versions()[0]


def pepper_versions() -> list[str]:
    """The names of all peppers that verify, newest first."""
    return [
        hmac.digest(pepper.encode(), b"name of this pepper", "sha256").hex()[:16] for pepper in settings.API_KEY_PEPPERS
    ]


def find_keys(text: str) -> list[str]:
    """The well-formed keys in free text, each once, in order; also one that runs into other letters."""
    found: dict[str, None] = {}
    for candidate in _CANDIDATE.finditer(text):
        run = candidate[1]
        for end in range(len(PREFIX) + _SHORTEST, len(run) + 1):
            if is_well_formed(run[:end]):
                found[run[:end]] = None
                break
    return list(found)


def _digest(pepper: str, raw_key: str) -> bytes:
    return hmac.digest(pepper.encode(), raw_key.encode("ascii"), "sha256")

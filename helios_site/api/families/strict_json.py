"""JSON as RFC 8259 has it, in any Unicode encoding, with bounds on depth and numbers: what all families read."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from django.http import HttpRequest


class Unparsable(ValueError):
    """Not JSON: where, and why. The message never repeats what was sent."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position, self.message = position, message


def parse(raw: bytes) -> Any:
    """The value that `raw` spells. Raises Unparsable; NaN, Infinity and numbers out of range are unparsable."""
    try:
        text = raw.decode(json.detect_encoding(raw))
    except UnicodeDecodeError as error:
        raise Unparsable(error.start, "the body is not valid Unicode") from None
    try:
        return json.loads(text, parse_constant=_not_json, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise Unparsable(error.pos, f"{error.msg}: line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise Unparsable(0, "the body is nested too deeply") from None
    except ValueError:  # an integer of thousands of digits, a number out of range, NaN
        raise Unparsable(0, "a number in the body is out of range") from None


def announced_length(request: HttpRequest) -> int:
    """Zero without a length: the gateway gives a body of unknown length to nobody."""
    try:
        return max(0, int(request.META.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0


def storable(value: str) -> bool:
    """PostgreSQL's text knows neither NUL nor lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in value


def _not_json(_constant: str) -> NoReturn:
    raise ValueError


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number

"""Serializer fields with Pydantic 1's coercions and error types, each with the JSON Schema of what it really takes.

A number for a text becomes its text, `"yes"` and `1` are booleans, texts are never trimmed, and `null` for an
optional key equals leaving it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from rest_framework import serializers

from helios_site.api.families.helios.errors import permitted, text
from helios_site.api.families.schema import Described
from helios_site.api.families.strict_json import storable

# Days as the calendar has them, so that the schema's pattern and the parser agree on every text.
_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,12})?)?"
_OFFSET = "(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"

DAY = re.compile(_DAY)
LOCAL_TIME = re.compile(f"({_DAY}[T ]{_CLOCK}){_OFFSET}?")
# An unescaped + in a query arrives as a space.
MOMENT = re.compile(f"({_DAY}[T ]{_CLOCK})({_OFFSET.replace('[+-]', '[ +-]')})?")
DAY_PATTERN = f"^{_DAY}$"
TIME_PATTERN = f"^{_DAY}[T ]{_CLOCK}{_OFFSET}?$"

TRUE_TEXTS = ("1", "on", "t", "true", "y", "yes")
FALSE_TEXTS = ("0", "off", "f", "false", "n", "no")


def fail(kind: str, message: str | None = None, **values: object) -> NoReturn:
    raise serializers.ValidationError(message or text(kind, **values), code=kind)


def moment(value: datetime | None) -> str | None:
    """UTC, whole seconds, cut and not rounded, with a numeric offset."""
    return None if value is None else value.replace(microsecond=0).isoformat()


def as_text(value: object) -> str:
    """Pydantic 1's `str`: numbers and booleans become their text."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return str(value)
    fail("type_error.str")


class Text(Described, serializers.CharField):
    """A text of `min_length` to `max_length` characters, kept as it came."""

    def __init__(self, *, max_length: int, min_length: int = 0, **options: Any) -> None:
        super().__init__(allow_blank=True, trim_whitespace=False, **options)
        self.min_characters, self.max_characters = min_length, max_length

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return serializers.Field.run_validation(self, data)  # CharField's own refuses and strips blanks

    def to_internal_value(self, data: Any) -> str:
        value = as_text(data)
        if len(value) > self.max_characters:
            fail("value_error.any_str.max_length", limit_value=self.max_characters)
        if len(value) < self.min_characters:
            fail("value_error.any_str.min_length", limit_value=self.min_characters)
        if not storable(value):
            fail("value_error", "text must not contain NUL or lone surrogates")
        return value

    def json_schema(self) -> dict[str, Any]:
        of_text = {
            "type": "string",
            "minLength": self.min_characters,
            "maxLength": self.max_characters,
            "pattern": r"^[^\x00]*$",
        }
        return {"anyOf": [of_text, {"type": "number"}, {"type": "boolean"}]}


class Member(Described, serializers.ChoiceField):
    """One of some texts, exact case."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            fail("type_error.enum", permitted=permitted(self.choices))
        return data

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.choices)}


class Members(Described, serializers.MultipleChoiceField):
    """A list of such texts; repetitions are dropped."""

    def get_value(self, dictionary: Any) -> Any:
        return serializers.Field.get_value(self, dictionary)

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        if not isinstance(data, list):
            fail("type_error.list")
        wrong: Any = {}
        for index, item in enumerate(data):
            if not isinstance(item, str) or item not in self.choices:
                message = text("type_error.enum", permitted=permitted(self.choices))
                wrong[index] = [serializers.ErrorDetail(message, code="type_error.enum")]
        if wrong:
            raise serializers.ValidationError(wrong)
        return list(dict.fromkeys(data))

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "enum": list(self.choices)}}


class Flag(Described, serializers.BooleanField):
    """A boolean, or one of the texts and numbers that Pydantic 1 takes for one."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return serializers.Field.run_validation(self, data)

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, (bool, int, float)) and data in (0, 1):
            return bool(data)
        if isinstance(data, str) and data.lower() in TRUE_TEXTS:
            return True
        if isinstance(data, str) and data.lower() in FALSE_TEXTS:
            return False
        fail("type_error.bool")

    def json_schema(self) -> dict[str, Any]:
        pattern = "|".join(_any_case(word) for word in (*TRUE_TEXTS, *FALSE_TEXTS))
        return {
            "anyOf": [
                {"type": "boolean"},
                {"type": "string", "pattern": f"^(?:{pattern})$"},
                {"type": "number", "enum": [0, 1]},
            ]
        }


class PastDay(Described, serializers.DateField):
    """`YYYY-MM-DD`, today (UTC) or earlier."""

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str) or DAY.fullmatch(data) is None:
            fail("value_error.date")
        day = date.fromisoformat(data)
        if day > datetime.now(UTC).date():
            fail("value_error", "the date must not be in the future")
        return day

    def json_schema(self) -> dict[str, Any]:
        # The pattern admits whole years up to the last one, and the parser the days since then as well.
        return {"type": "string", "format": "date", "pattern": f"^{_years_before(datetime.now(UTC).year)}-"}


class LocalTime(Described, serializers.CharField):
    """A wall-clock time, kept as the text that came; an offset, if sent, is dropped."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return serializers.Field.run_validation(self, data)

    def to_internal_value(self, data: Any) -> str:
        found = LOCAL_TIME.fullmatch(data) if isinstance(data, str) else None
        if found is None:
            fail("value_error.datetime")
        return found[1]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": TIME_PATTERN}


def _any_case(word: str) -> str:
    return "".join(letter if letter.isdigit() else f"[{letter}{letter.upper()}]" for letter in word)


def _years_before(year: int) -> str:
    """A pattern of the four-digit years from 0001 to `year` - 1."""
    digits = f"{year:04d}"
    lower: Iterable[str] = (
        digits[:place] + (f"[0-{int(digit) - 1}]" if digit > "1" else "0") + "[0-9]" * (3 - place)
        for place, digit in enumerate(digits)
        if digit > "0"
    )
    return f"(?!0000)(?:{'|'.join(lower)})"

"""Serializer fields as strict as Zod 3, with its messages: `"50"` is no number, nothing is trimmed, an extra key is an
error. Each field says by itself, as JSON Schema, what it takes, and reads an HTML form of the browsable API."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, ClassVar, NoReturn, cast
from uuid import UUID

from rest_framework import serializers

from helios_site.api.families import strict_json
from helios_site.api.families.schema import Described, Schema, nullable
from helios_site.api.families.strict_json import storable

_INSTANT = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_WHOLE = 2**53 - 1  # the largest whole number that every JSON reader keeps exactly


def fail(message: str) -> NoReturn:
    raise serializers.ValidationError(message)


def kind_of(value: object) -> str:
    """The name of a JSON value's type as Zod writes it."""
    if value is None:
        return "null"
    names = {bool: "boolean", str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return names[type(value)]


def out_of_bounds(value: float, low: int, high: int) -> str:
    """Zod's words for a number outside; empty for one inside."""
    if value < low:
        return f"Number must be greater than or equal to {low}"
    return f"Number must be less than or equal to {high}" if value > high else ""


def wrong_choice(value: object, choices: Iterable[str]) -> str:
    """Zod's words for what is none of `choices`."""
    known = " | ".join(f"'{choice}'" for choice in choices)
    if isinstance(value, str):
        return f"Invalid enum value. Expected {known}, received '{value}'"
    return f"Expected {known}, received {kind_of(value)}"


def parse_day(text: str) -> date | None:
    """The date that `YYYY-MM-DD` names; None for anything else."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def parse_uuid(text: str) -> UUID | None:
    """A UUID in the one form that replies show it in; None for anything else."""
    return UUID(text) if _UUID.fullmatch(text) else None


def parse_instant(text: str) -> datetime:
    """The moment that an ISO 8601 text with `Z` or an offset names, to the millisecond. Raises ValueError."""
    if _INSTANT.fullmatch(text) is None:
        raise ValueError
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:  # the form does not know where years end
        raise ValueError from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def timestamp(moment: datetime | None) -> str | None:
    """UTC with exactly three fractional digits and `Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class _Strict(Described):
    """What the fields below share. `expected` is the JSON type that they take."""

    expected: ClassVar[str]

    def __init__(self, **options: Any) -> None:
        if options.get("allow_null"):
            options.setdefault("initial", None)  # in the raw form of the browsable API
        super().__init__(**options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        field = cast(serializers.Field, self)
        if data is serializers.empty and field.required and not getattr(field.root, "partial", False):
            fail("Required")
        if data is None and not field.allow_null:
            self.wrong_type(data)
        return serializers.Field.run_validation(field, data)  # the bases' own trim, coerce, and skip blanks

    def wrong_type(self, data: object) -> NoReturn:
        fail(f"Expected {self.expected}, received {kind_of(data)}")

    def text_of(self, data: object) -> str:
        if not isinstance(data, str):
            self.wrong_type(data)
        if not storable(data):
            fail("String must not contain NUL or lone surrogates")
        return data

    def json_schema(self) -> Schema:
        schema = self.value_schema()
        return nullable(schema) if cast(serializers.Field, self).allow_null else schema

    def value_schema(self) -> Schema:
        """What it takes, apart from null."""
        raise NotImplementedError

    def from_form(self, sent: list[str]) -> Any:
        """The JSON value that an HTML form means."""
        return sent[-1]


class Text(_Strict, serializers.CharField):
    """A text of `min_length` to `max_length` characters, kept as it came."""

    expected = "string"

    def __init__(self, *, max_length: int, min_length: int = 0, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)
        self.shortest, self.longest = min_length, max_length

    def to_internal_value(self, data: Any) -> str:
        value = self.text_of(data)
        if len(value) < self.shortest:
            fail(f"String must contain at least {self.shortest} character(s)")
        if len(value) > self.longest:
            fail(f"String must contain at most {self.longest} character(s)")
        return value

    def value_schema(self) -> Schema:
        return {"type": "string", "minLength": self.shortest, "maxLength": self.longest, "pattern": r"^[^\x00]*$"}


class Whole(_Strict, serializers.IntegerField):
    """A whole number within bounds; `5.0` is one, as in JavaScript."""

    expected = "number"

    def __init__(self, *, low: int, high: int, **options: Any) -> None:
        super().__init__(**options)
        self.low, self.high = low, high

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.wrong_type(data)
        if data != int(data):
            fail("Expected integer, received float")
        problem = out_of_bounds(data, self.low, self.high)
        if problem:
            fail(problem)
        return int(data)

    def value_schema(self) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def from_form(self, sent: list[str]) -> Any:
        return int(sent[-1]) if re.fullmatch(r"-?[0-9]{1,15}", sent[-1]) else sent[-1]


class Instant(_Strict, serializers.CharField):
    """A moment with `Z` or an offset; kept to the millisecond."""

    expected = "string"

    def to_internal_value(self, data: Any) -> Any:
        try:
            return parse_instant(self.text_of(data))
        except ValueError:
            fail("Invalid datetime")

    def value_schema(self) -> Schema:
        return {"type": "string", "format": "date-time"}


class Day(_Strict, serializers.CharField):
    """A date, `YYYY-MM-DD`."""

    expected = "string"

    def to_internal_value(self, data: Any) -> Any:
        day = parse_day(self.text_of(data))
        if day is None:
            fail("Invalid date")
        return day

    def value_schema(self) -> Schema:
        return {"type": "string", "format": "date"}


class Truth(_Strict, serializers.BooleanField):
    """`true` or `false`, and nothing that means the like."""

    expected = "boolean"

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.wrong_type(data)
        return data

    def value_schema(self) -> Schema:
        return {"type": "boolean"}

    def from_form(self, sent: list[str]) -> Any:
        return {"true": True, "on": True, "false": False}.get(sent[-1], sent[-1])


class Choice(_Strict, serializers.ChoiceField):
    """One of some texts, in exactly their case."""

    expected = "string"

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.wrong_type(data)
        return data

    def wrong_type(self, data: object) -> NoReturn:
        fail(wrong_choice(data, self.choices))

    def value_schema(self) -> Schema:
        return {"type": "string", "enum": list(self.choices)}


class Members(_Strict, serializers.MultipleChoiceField):
    """At least one of some texts, none of them twice."""

    expected = "array"

    def get_value(self, dictionary: Any) -> Any:
        return serializers.Field.get_value(self, dictionary)

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        if not isinstance(data, list):
            self.wrong_type(data)
        if not data:
            fail("Array must contain at least 1 element(s)")
        wrong = [
            wrong_choice(item, self.choices) for item in data if not isinstance(item, str) or item not in self.choices
        ]
        if wrong:
            raise serializers.ValidationError(wrong)
        if len(set(data)) < len(data):
            fail("Array must not contain an element twice")
        return data

    def value_schema(self) -> Schema:
        items = {"type": "string", "enum": list(self.choices)}
        return {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}

    def from_form(self, sent: list[str]) -> Any:
        return sent


class Texts(_Strict, serializers.CharField):
    """At most `max_items` texts; in an HTML form separated by spaces or lines."""

    expected = "array"

    def __init__(self, *, max_items: int, **options: Any) -> None:
        super().__init__(**options)
        self.most = max_items

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, list):
            self.wrong_type(data)
        if len(data) > self.most:
            fail(f"Array must contain at most {self.most} element(s)")
        wrong = [f"Expected string, received {kind_of(item)}" for item in data if not isinstance(item, str)]
        if wrong:
            raise serializers.ValidationError(wrong)
        return [self.text_of(item) for item in data]

    def value_schema(self) -> Schema:
        return {"type": "array", "items": {"type": "string"}, "maxItems": self.most}

    def from_form(self, sent: list[str]) -> Any:
        return sent[-1].split()


class Nested(_Strict, serializers.CharField):
    """An object with fields of its own; of one that is sent every required field is required, also where the outer
    object may be sent in part. In an HTML form it is JSON."""

    expected = "object"

    def __init__(self, inner: type[StrictSerializer], **options: Any) -> None:
        super().__init__(**options)
        self.inner = inner()  # one for all values: to make one costs more than to use it

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.wrong_type(data)
        return self.inner.run_validation(data)

    def value_schema(self) -> Schema:
        fields = cast(dict[str, Any], self.inner.fields)
        return {
            "type": "object",
            "properties": {name: field.json_schema() for name, field in fields.items()},
            "required": [name for name, field in fields.items() if field.required],
            "additionalProperties": False,
        }

    def from_form(self, sent: list[str]) -> Any:
        try:
            return strict_json.parse(sent[-1].encode())
        except ValueError:
            return sent[-1]  # which is no object


class JsonObject(_Strict, serializers.JSONField):
    """Any JSON object that can be stored, with at most MAX_NESTING objects and arrays within one another."""

    expected = "object"
    MAX_NESTING = 20

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.wrong_type(data)
        self._check(data, self.MAX_NESTING)
        return data

    def _check(self, value: Any, nesting: int) -> None:
        if isinstance(value, str):
            self.text_of(value)
        elif isinstance(value, (list, dict)):
            if not nesting:
                fail(f"Object must be nested at most {self.MAX_NESTING} deep")
            for inner in [*value, *value.values()] if isinstance(value, dict) else value:
                self._check(inner, nesting - 1)

    def value_schema(self) -> Schema:
        return {"type": "object"}


class Ignored(Described, serializers.Field):
    """A key that may be sent and is of no effect, whatever its value."""

    def __init__(self) -> None:
        super().__init__(required=False, write_only=True)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        raise serializers.SkipField

    def json_schema(self) -> Schema:
        return {"description": "Ignored."}


def unrecognized(key: str) -> list[str]:
    return [f"Unrecognized key(s) in object: '{key}'"]


class StrictSerializer(serializers.Serializer):
    """Refuses keys that it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        value, errors = {}, {}
        if not isinstance(data, dict):
            fail(f"Expected object, received {kind_of(data)}")
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors = dict(cast(dict[str, Any], error.detail))
        errors |= {key: unrecognized(key) for key in data if key not in self.fields}
        if errors:
            raise serializers.ValidationError(errors)
        return value

"""Query parameters of lists, for django-filter, in the dialect: a bad value is a 400 that names its parameter."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from uuid import UUID

from django import forms
from django_filters import Filter

from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.fields import parse_instant, parse_uuid
from helios_site.api.families.query_field import QueryField
from helios_site.api.families.strict_json import storable

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MILLISECOND = timedelta(milliseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC)


class TextField(QueryField):
    """A text of 1 to `longest` characters that must be met exactly."""

    def __init__(self, *, longest: int, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest

    def parse(self, raw: str) -> str:
        if not raw:
            _refuse("String must contain at least 1 character(s)")
        if len(raw) > self.longest:
            _refuse(f"String must contain at most {self.longest} character(s)")
        if not storable(raw):
            _refuse("String must not contain NUL or lone surrogates")
        return raw


class UuidField(QueryField):
    def parse(self, raw: str) -> UUID:
        found = parse_uuid(raw)
        if found is None:
            _refuse("Invalid uuid")
        return found


class EarliestField(QueryField):
    """The first moment of a date or datetime."""

    def parse(self, raw: str) -> datetime:
        return _span(raw)[0]


class LatestField(QueryField):
    """The first moment *after* a date, or after the millisecond of a datetime, so that the bound is included: replies
    cut times to milliseconds, and a bound that was copied from one must include the row that it came from."""

    def parse(self, raw: str) -> datetime:
        start, length = _span(raw)
        return _LAST if start > _LAST - length else start + length


class ExactText(Filter):
    field_class = TextField


class ExactUuid(Filter):
    field_class = UuidField


class Earliest(Filter):
    field_class = EarliestField


class Latest(Filter):
    field_class = LatestField


def refuse_wrong(form: forms.BaseForm) -> None:
    """Raise Invalid with every wrong parameter of a filter's form."""
    if form.errors:
        raise Invalid({name: [str(message) for message in messages] for name, messages in form.errors.items()})


def _span(raw: str) -> tuple[datetime, timedelta]:
    """Where the named span of time begins, and how long it is. A `+` that was not encoded arrives as a space."""
    try:
        if _DAY.fullmatch(raw):
            return datetime.fromisoformat(raw).replace(tzinfo=UTC), timedelta(days=1)
        return parse_instant(raw.replace(" ", "+")), _MILLISECOND
    except ValueError:
        _refuse("Invalid datetime")


def _refuse(message: str) -> NoReturn:
    raise forms.ValidationError(message)

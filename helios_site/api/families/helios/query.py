"""Query parameters and pages, in the dialect: bad values are 422 at `["query", name]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from django import forms
from django.db.models import QuerySet

from helios_site.api.families import positions
from helios_site.api.families.helios.errors import Entry, Invalid, text
from helios_site.api.families.helios.fields import DAY, MOMENT
from helios_site.api.families.positions import Position
from helios_site.api.families.query_field import QueryField
from helios_site.api.families.strict_json import storable

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

CURSOR_PATTERN = positions.PATTERN
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def read_limit(query: Mapping[str, str]) -> int:
    """`limit`: 1 or more, cut to the maximum."""
    raw = query.get("limit")
    if raw is None:
        return DEFAULT_LIMIT
    if re.fullmatch(r"[+-]?[0-9]{1,4000}", raw) is None:
        raise Invalid(("query", "limit"), "type_error.integer")
    limit = int(raw)
    if limit < 1:
        raise Invalid(("query", "limit"), "value_error.number.not_ge", limit_value=1)
    return min(limit, MAX_LIMIT)


def read_cursor(query: Mapping[str, str]) -> Position | None:
    """`cursor`: where the page before ended. It names a place in the order, so it grants nothing."""
    raw = query.get("cursor")
    if raw is None:
        return None
    position = positions.unpack(raw)
    if position is None:
        raise Invalid(("query", "cursor"), "value_error", "the cursor is not one that this service gave")
    return position


def page(
    rows: QuerySet[Any, dict[str, Any]], after: Position | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of `rows`, which are newest first and carry `created_at` and `id`, and the cursor of the next.

    By position, not by number: rows that are added meanwhile move no row from one page to another.
    """
    if after is not None:
        rows = positions.older(rows, after)
    found = list(rows[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], positions.pack((last["created_at"], last["id"]))


def read_text(raw: str, *, max_length: int, min_length: int = 1) -> str:
    """A text to look for. Raises forms.ValidationError."""
    if len(raw) > max_length:
        refuse("value_error.any_str.max_length", limit_value=max_length)
    if len(raw) < min_length:
        refuse("value_error.any_str.min_length", limit_value=min_length)
    if not storable(raw):
        raise forms.ValidationError("text must not contain NUL or lone surrogates", code="value_error")
    return raw


class RepeatableField(QueryField):
    """A parameter that may stand several times: a list of what `parse` makes of each."""

    widget = forms.SelectMultiple

    def clean(self, value: Any) -> Any:
        return [self.parse(raw) for raw in value or ()]


class EarliestField(QueryField):
    """The first moment of a date or datetime; without an offset it is UTC."""

    def parse(self, raw: str) -> datetime:
        return _moment(raw)[0]


class LatestField(QueryField):
    """The first moment *after* a date, second or finer time, so that the whole of it is included.

    Replies cut times to whole seconds; a bound copied from a reply must include the row that it came from.
    """

    def parse(self, raw: str) -> datetime:
        start, length = _moment(raw)
        return _LAST if start > _LAST - length else start + length


def refuse_wrong(form: forms.BaseForm) -> None:
    """Raise Invalid with every wrong parameter of a filter's form; errors carry Pydantic's types as codes."""
    found: list[Entry] = []
    for name, errors in form.errors.as_data().items():
        for error in errors:
            found += [{"loc": ["query", name], "msg": message, "type": str(error.code)} for message in error.messages]
    if found:
        raise Invalid.of(found)


def _moment(raw: str) -> tuple[datetime, timedelta]:
    """Where the named span of time begins, and how long it is."""
    if DAY.fullmatch(raw):
        return datetime.fromisoformat(raw).replace(tzinfo=UTC), timedelta(days=1)
    found = MOMENT.fullmatch(raw)
    if found is None:
        refuse("value_error.datetime")
    wall, offset = datetime.fromisoformat(found[1]), (found[2] or "Z").replace(" ", "+")
    length = _MICROSECOND if "." in found[1] else timedelta(seconds=1)
    try:
        return datetime.fromisoformat(f"{wall.isoformat()}{offset}").astimezone(UTC), length
    except OverflowError:  # the offset moves it out of the years that dates have
        return (_FIRST if wall.year == 1 else _LAST), length


def refuse(kind: str, **values: object) -> NoReturn:
    raise forms.ValidationError(text(kind, **values), code=kind)

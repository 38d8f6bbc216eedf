"""Query parameters of lists, for django-filter, in the dialect: a bad value is a 400 that names its parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django_filters import Filter

from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.fields import parse_day, parse_instant, parse_uuid, wrong_choice
from helios_site.api.families.query_field import QueryField
from helios_site.api.families.strict_json import storable

NOT_UTF8 = "String must be UTF-8"
UNREADABLE = "\N{REPLACEMENT CHARACTER}"  # Django puts it where a form or a query is not UTF-8
_MILLISECOND = timedelta(milliseconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


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


class ChoiceField(QueryField):
    """One of some texts, in exactly their case."""

    def __init__(self, *, choices: Sequence[str], **options: Any) -> None:
        super().__init__(**options)
        self.known = choices

    def parse(self, raw: str) -> str:
        if raw not in self.known:
            _refuse(wrong_choice(raw, self.known))
        return raw


class DayField(QueryField):
    def parse(self, raw: str) -> date:
        day = parse_day(raw)
        if day is None:
            _refuse("Invalid date")
        return day


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


class ExactChoice(Filter):
    field_class = ChoiceField


class Day(Filter):
    field_class = DayField


class Sort(Filter):
    """`orders` are what may be sorted by, and the fields that each means; a leading `-` reverses all of them. What is
    equal comes in the order of ids."""

    field_class = ChoiceField

    def __init__(self, orders: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(choices=[*orders, *(f"-{name}" for name in orders)])
        self.orders = orders

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if value is None:
            return qs
        sign = "-" if value.startswith("-") else ""
        return qs.order_by(*(f"{sign}{field}" for field in (*self.orders[value.removeprefix("-")], "id")))


class Earliest(Filter):
    field_class = EarliestField


class Latest(Filter):
    field_class = LatestField


def refuse_undecodable(request: HttpRequest) -> None:
    """Raise Invalid with every parameter that is not UTF-8."""
    try:
        unquote_to_bytes(request.META.get("QUERY_STRING", "").encode("latin-1")).decode()
    except UnicodeDecodeError:
        wrong = [name for name, values in request.GET.lists() if UNREADABLE in "".join((name, *values))]
        raise Invalid({name: [NOT_UTF8] for name in wrong}) from None


def narrowed(filter_set: Any, query: QueryDict, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that the query's filters leave. Raises Invalid; unknown parameters are ignored."""
    if not query.keys() & filter_set.base_filters.keys():  # a form costs as much as a query
        return rows
    return left_by(filter_set(query, rows))


def left_by(filters: Any) -> QuerySet[Any]:
    """The rows that a filter set leaves. Raises Invalid."""
    if not filters.is_valid():
        refuse_wrong(filters.form)
    left: QuerySet[Any] = filters.qs
    return left


def refuse_wrong(form: forms.BaseForm) -> None:
    """Raise Invalid with every wrong parameter of a filter's form."""
    if form.errors:
        raise Invalid({name: [str(message) for message in messages] for name, messages in form.errors.items()})


def _span(raw: str) -> tuple[datetime, timedelta]:
    """Where the named span of time begins, and how long it is. A `+` that was not encoded arrives as a space."""
    day = parse_day(raw)
    try:
        if day is None:
            return parse_instant(raw.replace(" ", "+")), _MILLISECOND
        start = first_moment(day)
        return start, _LAST - start if day == date.max else first_moment(day + timedelta(days=1)) - start
    except (ValueError, OverflowError):
        _refuse("Invalid datetime")


def first_moment(day: date, zone: ZoneInfo | None = None) -> datetime:
    """When a day begins, in UTC. Raises OverflowError at the ends of the calendar, where there is no such moment."""
    return datetime.combine(day, time(), zone or settings.HEALOS_DAY_TIMEZONE).astimezone(UTC)


def moments_of(first: date | None, last: date | None, zone: ZoneInfo | None = None) -> tuple[datetime, datetime]:
    """The first moment of the day `first`, and the first after the day `last`; None and the ends of the calendar
    are no bounds."""
    begin, end = _FIRST, _LAST
    with suppress(OverflowError):
        begin = begin if first is None else first_moment(first, zone)
    with suppress(OverflowError):
        end = end if last is None else first_moment(last + timedelta(days=1), zone)
    return begin, end


def _refuse(message: str) -> NoReturn:
    raise forms.ValidationError(message)

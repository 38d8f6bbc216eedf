"""When a repeated appointment takes place. Pure functions of times and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import MONTHLY, rrule

from helios_site.api.families.healos.query import moments_of

MOST_OCCURRENCES = 10_000  # that are unfolded at once
_DAYS = {"DAILY": 1, "WEEKLY": 7}
_MONTHS = {"MONTHLY": 1, "YEARLY": 12}


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of a time zone, both ends included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """The first moment of it, and the first after it."""
        return moments_of(self.first, self.last, self.zone)


def occurrences(start_at: datetime, rule: Mapping[str, Any] | None, span: Span) -> Iterator[datetime]:
    """When an appointment takes place in `span`, in order and in UTC.

    `rule` is `{"frequency", "interval", "end_date"}`, or None for one that is not repeated. The first occurrence is
    `start_at` itself. The others have its wall-clock time in the zone of `span`, up to the day `end_date` there: a
    time that a change of clocks leaves out is as much later as the clocks go forward, and of one that comes twice the
    first is meant (RFC 5545, 3.3.5). A month or year that lacks the day is left out (3.3.10).

    The work depends on the length of `span`, never on how long ago `start_at` is.
    """
    begin, end = span.moments
    if begin <= start_at < end:
        yield start_at
    if rule is None:
        return
    try:
        local = start_at.astimezone(span.zone)
    except OverflowError:  # in that zone it is a day before the year 1 or after 9999
        return
    wall, latest = local.time().replace(fold=0), start_at
    for day in _days(local.date(), rule, span):
        try:
            moment = datetime.combine(day, wall, span.zone).astimezone(UTC)
        except OverflowError:
            return
        if moment > latest:  # not again the first, nor what a day without hours moves onto the next
            latest = moment
            if begin <= moment < end:
                yield moment


def _days(start: date, rule: Mapping[str, Any], span: Span) -> Iterator[date]:
    """The days of the rule that can have an occurrence in `span`. It begins near `span`, a whole number of the rule's
    steps after `start`."""
    first = max(start, span.first - timedelta(days=1) if span.first > date.min else span.first)
    last = min(span.last, date.fromisoformat(rule["end_date"])) if rule["end_date"] else span.last
    if rule["frequency"] in _DAYS:
        step = rule["interval"] * _DAYS[rule["frequency"]]
        near = _at_or_after(first.toordinal(), start.toordinal(), step)
        # By hand: a clinic's week unfolds a thousand of these, and dateutil's rule takes much longer.
        yield from map(date.fromordinal, range(near, last.toordinal() + 1, step))
    else:
        step = rule["interval"] * _MONTHS[rule["frequency"]]
        near = _at_or_after(_month(first), _month(start), step)
        if near > _month(last):
            return
        first_of_month = _midnight(date(near // 12, near % 12 + 1, 1))
        days = rrule(MONTHLY, first_of_month, interval=step, bymonthday=start.day, until=_midnight(last))
        yield from (found.date() for found in days)


def _at_or_after(wanted: int, start: int, step: int) -> int:
    """The first of `start`, `start` + `step`, … that is not before `wanted`."""
    return start + max(0, -(-(wanted - start) // step)) * step


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())

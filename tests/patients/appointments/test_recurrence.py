"""When repeated appointments take place."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.patients.appointments.recurrence import Span, occurrences

LONDON, UTC_ZONE = ZoneInfo("Europe/London"), ZoneInfo("UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rule(frequency: str, interval: int = 1, end_date: str | None = None) -> dict[str, Any]:
    return {"frequency": frequency, "interval": interval, "end_date": end_date}


def found(start: str, repeated: Any, first: str, last: str, zone: ZoneInfo = UTC_ZONE) -> list[str]:
    span = Span(date.fromisoformat(first), date.fromisoformat(last), zone)
    return [moment.isoformat(" ")[:16] for moment in occurrences(at(start), repeated, span)]


def test_nine_o_clock_stays_nine_o_clock_when_the_clocks_change() -> None:
    assert found("2026-03-20 09:00", rule("WEEKLY"), "2026-03-15", "2026-04-05", LONDON) == [
        "2026-03-20 09:00",
        "2026-03-27 09:00",
        "2026-04-03 08:00",
    ]
    assert found("2026-10-24 08:00", rule("DAILY"), "2026-10-24", "2026-10-25", LONDON) == [
        "2026-10-24 08:00",
        "2026-10-25 09:00",
    ]
    assert found("2026-10-24 08:00", rule("DAILY"), "2026-10-25", "2026-10-25", UTC_ZONE) == ["2026-10-25 08:00"]


def test_a_time_that_does_not_exist_moves_forward_and_of_one_that_exists_twice_the_first_is_meant() -> None:
    # 01:30 on the 29th is left out: 02:30 in summer time.
    assert found("2026-03-28 01:30", rule("DAILY"), "2026-03-29", "2026-03-30", LONDON) == [
        "2026-03-29 01:30",
        "2026-03-30 00:30",
    ]
    # 01:30 on 25 October comes at 00:30 and at 01:30 UTC.
    assert found("2026-10-24 00:30", rule("DAILY"), "2026-10-25", "2026-10-26", LONDON) == [
        "2026-10-25 00:30",
        "2026-10-26 01:30",
    ]


def test_the_first_occurrence_is_the_start_itself_also_where_its_time_comes_twice() -> None:
    expected = ["2026-10-25 01:30", "2026-10-26 01:30"]
    assert found("2026-10-25 01:30", rule("DAILY"), "2026-10-25", "2026-10-26", LONDON) == expected


def test_a_midnight_that_does_not_exist_and_a_day_that_does_not() -> None:
    beirut, apia = ZoneInfo("Asia/Beirut"), ZoneInfo("Pacific/Apia")
    # In Beirut the clocks go from 00:00 to 01:00: the day begins at 22:00 UTC.
    assert found("2026-03-27 22:15", rule("DAILY"), "2026-03-29", "2026-03-29", beirut) == ["2026-03-28 22:15"]
    # Samoa had no 30 December 2011: what it would have had comes with the next day's, once.
    assert found("2011-12-28 19:00", rule("DAILY"), "2011-12-28", "2012-01-01", apia) == [
        "2011-12-28 19:00",
        "2011-12-29 19:00",
        "2011-12-30 19:00",
        "2011-12-31 19:00",
    ]
    assert found("2011-12-28 19:00", rule("DAILY"), "2011-12-30", "2011-12-30", apia) == []


def test_months_and_years_that_lack_the_day_are_left_out() -> None:
    assert found("2026-01-31 10:00", rule("MONTHLY"), "2026-01-01", "2026-06-30") == [
        "2026-01-31 10:00",
        "2026-03-31 10:00",
        "2026-05-31 10:00",
    ]
    assert found("2024-02-29 10:00", rule("YEARLY"), "2025-01-01", "2025-12-31") == []
    assert found("2024-02-29 10:00", rule("YEARLY", 2), "2028-01-01", "2028-12-31") == ["2028-02-29 10:00"]
    assert found("2000-02-29 10:00", rule("YEARLY", 100), "2300-01-01", "2300-12-31") == []


def test_the_last_day_is_included_in_the_zone() -> None:
    # 23:30 UTC is 08:30 of the next day in Tokyo.
    tokyo = ZoneInfo("Asia/Tokyo")
    repeated = rule("DAILY", end_date="2026-07-16")
    assert found("2026-07-14 23:30", repeated, "2026-07-01", "2026-07-31", tokyo) == [
        "2026-07-14 23:30",
        "2026-07-15 23:30",
    ]
    assert len(found("2026-07-14 23:30", repeated, "2026-07-01", "2026-07-31")) == 3
    ends_before = rule("DAILY", end_date="2026-07-14")  # the day of the start in UTC, not in Tokyo
    assert found("2026-07-14 23:30", ends_before, "2026-07-15", "2026-07-15", tokyo) == ["2026-07-14 23:30"]


def test_what_is_not_repeated_is_there_once() -> None:
    assert found("2026-04-15 14:00", None, "2026-04-15", "2026-04-15") == ["2026-04-15 14:00"]
    assert found("2026-04-15 23:30", None, "2026-04-15", "2026-04-15", LONDON) == []
    assert found("2026-04-15 14:00", rule("DAILY"), "2026-04-10", "2026-04-14") == []
    assert found("2026-04-15 14:00", rule("DAILY"), "2026-04-20", "2026-04-16") == []


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize("frequency", ["DAILY", "MONTHLY"])
def test_the_ends_of_the_calendar_are_no_trap(zone: str, frequency: str) -> None:
    for start in ("0001-01-01 00:00", "9999-12-31 23:59"):
        for first, last in (("0001-01-01", "0001-02-01"), ("9999-12-01", "9999-12-31")):
            assert len(found(start, rule(frequency), first, last, ZoneInfo(zone))) <= 32
    assert "0001-01-01 00:00" in found("0001-01-01 00:00", rule(frequency), "0001-01-01", "0001-01-02")
    assert found("9999-12-31 23:59", rule(frequency), "9999-12-31", "9999-12-31") == ["9999-12-31 23:59"]


def test_milliseconds_are_kept() -> None:
    span = Span(date(2026, 4, 16), date(2026, 4, 16), LONDON)
    moments = list(occurrences(at("2026-04-15 14:00:00.250"), rule("DAILY"), span))
    assert moments == [at("2026-04-16 14:00:00.250")]


@pytest.mark.parametrize("frequency", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
@pytest.mark.parametrize("interval", [1, 2**31 - 1])
def test_the_work_does_not_grow_with_the_age_of_the_start(frequency: str, interval: int) -> None:
    span = Span(date(9000, 1, 1), date(9000, 1, 31), LONDON)
    began = time.process_time()
    for _ in range(20):
        assert len(list(occurrences(at("0002-01-01 09:00"), rule(frequency, interval), span))) <= 31
    assert time.process_time() - began < 1  # day by day it would be 100 s


NAMES = {"DAILY": rrule.DAILY, "WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY, "YEARLY": rrule.YEARLY}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    start=st.integers(0, 220_000_000).map(lambda seconds: at("2020-01-01") + timedelta(seconds=seconds)),
    frequency=st.sampled_from(list(NAMES)),
    interval=st.integers(1, 40),
    first=st.dates(date(2019, 6, 1), date(2027, 6, 1)),
    length=st.integers(0, 366),
    end_after=st.none() | st.integers(0, 1500),
)
def test_it_is_what_the_whole_rule_gives_from_its_start(
    start: datetime, frequency: str, interval: int, first: date, length: int, end_after: int | None
) -> None:
    last = first + timedelta(days=length)
    until = min(last, start.date() + timedelta(days=end_after)) if end_after is not None else last
    whole = rrule.rrule(
        NAMES[frequency],
        start,
        interval,
        until=datetime.combine(until, datetime.max.time(), UTC),
    )
    expected = [moment for moment in whole if first <= moment.date() <= last]
    end_date = None if end_after is None else (start.date() + timedelta(days=end_after)).isoformat()
    span = Span(first, last, UTC_ZONE)
    assert list(occurrences(start, rule(frequency, interval, end_date), span)) == expected

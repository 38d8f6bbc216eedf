from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template

from helios_site.zones import read_day, read_moment, shown_moment


@pytest.mark.parametrize(
    ("typed", "zone", "moment"),
    [
        ("2026-07-01T14:30", "Europe/Berlin", datetime(2026, 7, 1, 12, 30, tzinfo=UTC)),
        ("2026-01-01T14:30", "Europe/Berlin", datetime(2026, 1, 1, 13, 30, tzinfo=UTC)),
        ("2026-01-01 14:30", "", datetime(2026, 1, 1, 14, 30, tzinfo=UTC)),
        ("2026-10-25T02:30", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # shown twice: the first
        ("2026-03-29T02:30", "Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # left out
    ],
)
def test_a_typed_moment_is_read_in_the_zone_of_the_browser(typed: str, zone: str, moment: datetime) -> None:
    assert read_moment(typed, zone) == moment


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("", "UTC"), ("tomorrow", "UTC"), ("2026-02-30T10:00", "UTC"), ("2026-02-03T10:00+01:00", "UTC"),
        ("0001-01-01T00:00", "Asia/Tokyo"), ("2026-02-03T10:00", "Mars/Base"), ("2026-02-03T10:00", "../UTC"),
        ("2026-02-03T10:00", "x" * 5000), ("2026-02-03T10:00", "a\0b"),
    ],
)  # fmt: skip
def test_no_moment_and_no_zone_are_refused(typed: str, zone: str) -> None:
    with pytest.raises(ValidationError, match=r"Enter a date and a time|time zone"):
        read_moment(typed, zone)


def test_a_day_is_as_long_as_the_clocks_of_the_zone_make_it() -> None:
    begins, ends = read_day("2026-10-25", "Europe/Berlin")
    assert (begins, ends) == (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC))


@pytest.mark.parametrize("typed", ["", "2026-02-30", "2026-02-03T10:00", "9999-12-31"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match="Enter a day"):
        read_day(typed, "UTC")


def test_a_form_shows_moments_in_utc() -> None:
    moment = datetime(2026, 7, 1, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    assert (shown_moment(moment), shown_moment(None)) == ("2026-07-01T12:30", "")


def test_a_page_shows_a_moment_in_utc_and_says_which_it_is() -> None:
    moment = datetime(2026, 7, 1, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    shown = Template("{% load times %}{% when moment %}{% when none %}").render(
        Context({"moment": moment, "none": None})
    )
    assert shown == (
        '<time datetime="2026-07-01T12:30:00Z" data-local>2026-07-01 <span class="clock">12:30</span></time>-'
    )

"""Times that a person types, in the zone of their browser.

A form has a hidden field `zone`, UTC until `static/helios/times.js` names the browser's own there and turns the
moments that the form already shows into it. So a form works without scripts, in UTC, and says so.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError

_PARTS_OF_THE_WORLD = frozenset(
    ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"]
)


def zone_named(name: str) -> ZoneInfo | None:
    """The IANA zone of exactly that name; no name is taken for a path of files."""
    return ZoneInfo(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def names_to_choose() -> tuple[str, ...]:
    """UTC, and the IANA zones that go by a continent or an ocean and a place, such as Europe/London, in order."""
    return ("UTC", *sorted(name for name in _names() if name.partition("/")[0] in _PARTS_OF_THE_WORLD and "/" in name))


def read_moment(text: str, zone_name: str) -> datetime:
    """The moment that the field of type `datetime-local` named, in UTC. Raises ValidationError.

    Of an hour that the clocks show twice it is the first one; one that they leave out is taken as if they had not
    been changed yet.
    """
    zone = zone_named(zone_name or "UTC")
    if zone is None:
        raise ValidationError("The time zone of your browser is not known here. Set another one, or ask your operator.")
    try:
        typed = datetime.fromisoformat(text.strip())
        if typed.tzinfo is not None:
            raise ValueError
        return typed.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationError("Enter a date and a time, such as 2026-03-01 14:30.") from None


def read_day(text: str, zone_name: str) -> tuple[datetime, datetime]:
    """When the day that a field of type `date` named begins, and when the next one does, in UTC. Raises
    ValidationError."""
    try:
        after = date.fromisoformat(text.strip()) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ValidationError("Enter a day, such as 2026-03-01.") from None
    return read_moment(f"{text.strip()}T00:00", zone_name), read_moment(f"{after.isoformat()}T00:00", zone_name)


def shown_moment(moment: datetime | None) -> str:
    """The value of a `datetime-local` field of a form whose `zone` is UTC."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")

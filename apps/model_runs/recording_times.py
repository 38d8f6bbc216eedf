"""When a recording was made, as far as it is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings

# No wall clock on earth is further ahead of UTC; one that is has been set wrong.
AHEAD = timedelta(days=1)


def recorded_at(recording_time: str | None, known_by: datetime) -> datetime:
    """When it was made, in UTC: the person's wall clock read in the installation's time zone, if it was sent and can
    be true; else `known_by`, a moment at which it had been made."""
    if recording_time is None:
        return known_by
    wall_clock = datetime.fromisoformat(recording_time).replace(tzinfo=settings.HEALOS_DAY_TIMEZONE)
    try:
        moment = wall_clock.astimezone(UTC)
    except OverflowError:  # at the ends of the calendar
        return known_by
    return moment if moment <= known_by + AHEAD else known_by

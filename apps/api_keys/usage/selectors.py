"""Reads of usage. They begin with the organisation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Sum

from apps.api_keys import limits
from apps.api_keys.models import ApiKey, UsageDay

COLUMNS = ("requests_2xx", "requests_4xx", "requests_429", "requests_5xx", "runs_ok", "runs_error")
_SUMS = {name: Sum(name) for name in COLUMNS}


@dataclass(frozen=True, slots=True)
class Totals:
    """Requests by the status of their answers, and finished runs."""

    requests_2xx: int = 0
    requests_4xx: int = 0
    requests_429: int = 0
    requests_5xx: int = 0
    runs_ok: int = 0
    runs_error: int = 0

    @property
    def requests(self) -> int:
        return self.requests_2xx + self.requests_4xx + self.requests_429 + self.requests_5xx

    @property
    def share_over(self) -> float:
        """Per cent of the requests that were answered 429."""
        return 100 * self.requests_429 / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class DayTotals(Totals):
    day: date = date.min


@dataclass(frozen=True, slots=True)
class KeyTotals(Totals):
    """Of one key; without an id of the runs that members created without one."""

    key_id: UUID | None = None
    name: str = ""
    prefix: str = ""


class Chosen(NamedTuple):
    """One key's days; None: those of members without a key."""

    key_id: UUID | None


def list_usage(organization_id: UUID, first: date, last: date) -> QuerySet[UsageDay, Any]:
    """Each key's days from `first` to `last`, both included, the newest day first, as mappings."""
    days = _between(organization_id, first, last).order_by("-day", "key__key_prefix", "key_id")
    rows: QuerySet[UsageDay, Any] = days.values("day", "key__key_prefix", *COLUMNS)
    return rows


def totals_by_day(organization_id: UUID, first: date, last: date, chosen: Chosen | None) -> list[DayTotals]:
    """Every day from `first` to `last` in their order, also those without usage; of all keys unless one is chosen."""
    days = _between(organization_id, first, last)
    if chosen is not None:
        days = days.filter(key_id=chosen.key_id)
    found = {row["day"]: DayTotals(**row) for row in days.values("day").order_by("day").annotate(**_SUMS)}
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [found.get(day) or DayTotals(day=day) for day in every]


def totals_by_key(organization_id: UUID, first: date, last: date) -> list[KeyTotals]:
    """Each key that was used from `first` to `last`, the busiest first."""
    of_keys = _between(organization_id, first, last).values("key_id", "key__name", "key__key_prefix").order_by()
    rows = of_keys.annotate(**_SUMS)
    found = [KeyTotals(name=row.pop("key__name") or "", prefix=row.pop("key__key_prefix") or "", **row) for row in rows]
    return sorted(found, key=lambda one: (-one.requests, -one.runs_ok, one.name))


def name_of_key(organization_id: UUID, key_id: UUID) -> str | None:
    """None where the key is not the organisation's."""
    return ApiKey.objects.filter(organization_id=organization_id, id=key_id).values_list("name", flat=True).first()


def _between(organization_id: UUID, first: date, last: date) -> QuerySet[UsageDay]:
    return UsageDay.objects.filter(organization_id=organization_id, day__range=(first, last))


def count_runs(organization_id: UUID, first: date, last: date) -> tuple[int, int]:
    """How many runs ended with scores, and how many without, from `first` to `last`, both included."""
    days = _between(organization_id, first, last)
    found = days.aggregate(ok=Sum("runs_ok", default=0), error=Sum("runs_error", default=0))
    return found["ok"], found["error"]


def limits_of(plan: str) -> dict[str, Any]:
    """The plan and what it allows a key, in calls a minute; reads of a run's status are counted for each run."""
    return {
        "plan": plan,
        "heliosPerMinute": limits.per_minute(limits.of_plan(plan, settings.HELIOS_RATE_LIMIT)),
        "healosPerMinute": limits.per_minute(limits.of_plan(plan, settings.HEALOS_RATE_LIMIT)),
        "pollPerMinute": limits.per_minute(settings.HELIOS_POLL_LIMIT),
    }

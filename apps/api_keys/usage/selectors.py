"""Reads of usage. They begin with the organisation."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from apps.api_keys import limits
from apps.api_keys.models import UsageDay


def list_usage(organization_id: UUID, first: date, last: date) -> QuerySet[UsageDay, Any]:
    """Each key's days from `first` to `last`, both included, the newest day first, as mappings."""
    days = UsageDay.objects.filter(organization_id=organization_id, day__range=(first, last))
    return days.order_by("-day", "key__key_prefix", "key_id").values(
        "day", "key__key_prefix", "key__name",
        "requests_2xx", "requests_4xx", "requests_429", "requests_5xx", "runs_ok", "runs_error",
    )  # fmt: skip


def limits_of(plan: str) -> dict[str, Any]:
    """The plan and what it allows a key, in calls a minute; reads of a run's status are counted for each run."""
    return {
        "plan": plan,
        "heliosPerMinute": limits.per_minute(limits.of_plan(plan, settings.HELIOS_RATE_LIMIT)),
        "healosPerMinute": limits.per_minute(limits.of_plan(plan, settings.HEALOS_RATE_LIMIT)),
        "pollPerMinute": limits.per_minute(settings.HELIOS_POLL_LIMIT),
    }

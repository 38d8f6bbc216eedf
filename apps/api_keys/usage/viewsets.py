"""`GET /v1/usage`, in the Helios dialect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.api_keys.usage import openapi, selectors
from apps.api_keys.usage.openapi import DEFAULT_DAYS, MAX_DAYS, STATUS_CLASSES
from helios_site.api.families.helios.errors import Invalid
from helios_site.api.families.helios.fields import DAY
from helios_site.api.families.helios.view import HeliosViewMixin


@openapi.usage
class UsageViewSet(HeliosViewMixin, ViewSet):
    """Requests and finished runs of your organisation's keys, by day."""

    scope_resource = "usage"

    def retrieve(self, request: Request) -> Response:
        first, last = read_days(request.query_params)
        days = selectors.list_usage(self.caller.organization_id, first, last)
        return Response({"items": [day_body(day) for day in days], "limits": selectors.limits_of(self.caller.plan)})


def read_days(query: Mapping[str, str]) -> tuple[date, date]:
    """`from` and `to`, both included; the last 30 days unless they say otherwise. Raises Invalid."""
    last = _day(query, "to") or timezone.now().date()
    first = _day(query, "from") or last - min(timedelta(days=DEFAULT_DAYS - 1), last - date.min)
    if first > last:
        raise Invalid(("query", "from"), "value_error", "from must not be after to")
    if last - first >= timedelta(days=MAX_DAYS):
        raise Invalid(("query", "from"), "value_error", f"from and to must span at most {MAX_DAYS} days")
    return first, last


def _day(query: Mapping[str, str], name: str) -> date | None:
    raw = query.get(name)
    if raw is None:
        return None
    if DAY.fullmatch(raw) is None:
        raise Invalid(("query", name), "value_error.date")
    return date.fromisoformat(raw)


def day_body(day: Mapping[str, Any]) -> dict[str, Any]:
    """One key's day; without a prefix the runs that members created by their sessions."""
    return {
        "day": day["day"].isoformat(),
        "keyPrefix": day["key__key_prefix"],
        "requests": {status: day[f"requests_{status}"] for status in STATUS_CLASSES},
        "runs": {"completeOk": day["runs_ok"], "completeError": day["runs_error"]},
    }

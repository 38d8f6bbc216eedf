"""The page of an organisation's usage, for its members."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.api_keys.usage import charts, selectors
from apps.api_keys.usage.openapi import DEFAULT_DAYS, MAX_DAYS
from apps.api_keys.usage.selectors import COLUMNS, Chosen, DayTotals, KeyTotals, Totals

PERIODS = (7, DEFAULT_DAYS, MAX_DAYS)
MEMBERS = "members"  # in place of a key's id: runs that members created without one
MOST_KEYS = 50  # in the table; every key that was used can be chosen


@require_safe
@for_members
def usage_page(request: HttpRequest, current: Membership) -> HttpResponse:
    """The days of a period, of every key or of one, and the keys beside each other."""
    period, problem = _period(request.GET.get("days", ""))
    last = timezone.now().date()
    first = last - timedelta(days=period - 1)
    keys = selectors.totals_by_key(current.organization_id, first, last)
    chosen, wanted = _chosen(current, request.GET.get("key", ""), keys)
    days = selectors.totals_by_day(current.organization_id, first, last, chosen)
    context: dict[str, Any] = {
        "current": current,
        "limits": selectors.limits_of(current.organization.plan),
        "periods": PERIODS,
        "period": period,
        "wanted": wanted,
        "is_listed": wanted["key"] in ("", *(str(one.key_id or MEMBERS) for one in keys)),
        "keys": keys,
        "shown_keys": [(one, figures_of(one)) for one in keys[:MOST_KEYS]],
        "more_keys": max(len(keys) - MOST_KEYS, 0),
        "days": [(one.day.isoformat(), figures_of(one)) for one in reversed(days) if one != DayTotals(day=one.day)],
        "requests": charts.of_requests(days),
        "runs": charts.of_runs(days),
        "summary": charts.summary(days),
        "problem": problem,
    }
    return render(request, "usage.html", context, status=400 if problem else 200)


def figures_of(totals: Totals) -> dict[str, str]:
    """Each count as it is read. In Python: the filter of templates takes far longer."""
    return {name: f"{getattr(totals, name):,}" for name in (*COLUMNS, "requests")}


def _period(raw: str) -> tuple[int, str]:
    """The days that are asked for, and what is wrong with them."""
    found = next((days for days in PERIODS if raw == str(days)), None)
    if found is None and raw:
        return DEFAULT_DAYS, f"Choose {', '.join(map(str, PERIODS[:-1]))} or {PERIODS[-1]} days."
    return found or DEFAULT_DAYS, ""


def _chosen(current: Membership, raw: str, keys: list[KeyTotals]) -> tuple[Chosen | None, dict[str, str]]:
    """Whose days are asked for, and how they are called. Raises Http404: an unknown key and a foreign one."""
    if not raw:
        return None, {"key": "", "name": ""}
    if raw == MEMBERS:
        return Chosen(None), {"key": MEMBERS, "name": "Members, without a key"}
    try:
        key_id = UUID(raw)
    except ValueError:
        raise Http404 from None
    name = next((one.name for one in keys if one.key_id == key_id), None)
    name = name or selectors.name_of_key(current.organization_id, key_id)
    if name is None:
        raise Http404
    return Chosen(key_id), {"key": str(key_id), "name": name}

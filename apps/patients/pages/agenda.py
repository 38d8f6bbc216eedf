"""A day or a week of the whole organisation: whom it sees, and when."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.accounts.selectors import zone_of
from apps.patients.appointments import selectors, services
from apps.patients.appointments.recurrence import MOST_OCCURRENCES, Span
from apps.patients.appointments.serializers import FIELDS
from apps.patients.pages import appointment_words as words
from apps.patients.pages.appointments import today
from apps.patients.pages.care import PAGE_SIZE, day_of, whole_number
from helios_site.api.families.healos.fields import parse_day

SPANS = {"day": 1, "week": 7}  # days
NO_DAY = "Enter the day as a date, such as 2026-03-01."
TOO_MANY = f"There are more than {MOST_OCCURRENCES:,} appointments in these days. Choose a single day."


@require_safe
@for_members
def agenda(request: HttpRequest, current: Membership) -> HttpResponse:
    """The days are those of the organisation's clocks: colleagues who speak of a day mean the same one, wherever each
    of them looks from."""
    zone = zone_of(current.organization)
    now = today(zone)
    typed = request.GET.get("day", "")
    day = parse_day(typed) if typed else now
    name = request.GET.get("span", "")
    name = name if name in SPANS else "day"
    problem = "" if day else NO_DAY
    span = _span(day or now, SPANS[name], zone)
    found: list[tuple[datetime, UUID]] = []
    try:
        if not problem:
            appointments = selectors.list_appointments(current.organization_id)
            found = sorted((at, one) for one, at in selectors.unfolded(appointments, span))
    except selectors.TooMany:
        problem = TOO_MANY
    number = _page_number(request, len(found))
    rows = _rows(current.organization_id, found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE], zone)
    services.record_read(
        actor=audit.by_user(request.user), organization_id=current.organization_id, appointment_id=None
    )
    context = {
        "current": current,
        "days": [(one, list(those)) for one, those in groupby(rows, key=lambda row: row["day"])],
        "total": len(found),
        "problem": problem,
        "typed": typed or span.first.isoformat(),
        "span": span,
        "span_name": name,
        "is_now": span.first <= now <= span.last,
        "day_zone": zone.key,
        **_links(span, name, number, len(found)),
    }
    return render(request, "patients/agenda.html", context, status=400 if problem else 200)


def _span(day: date, days: int, zone: ZoneInfo) -> Span:
    """The day, or the week from Monday to Sunday that holds it."""
    first = day - timedelta(days=min(day.weekday(), (day - date.min).days)) if days > 1 else day
    return Span(first, first + timedelta(days=min(days - 1, (date.max - first).days)), zone)


def _page_number(request: HttpRequest, total: int) -> int:
    """Of a page that there is: the last one, where the address names one after it."""
    wanted = whole_number(request.GET.get("page", ""))
    return min(max(1, wanted), max(1, -(-total // PAGE_SIZE)))


def _rows(organization_id: UUID, shown: list[tuple[datetime, UUID]], zone: ZoneInfo) -> list[dict[str, Any]]:
    rows = selectors.by_id(organization_id, {one for _, one in shown}, FIELDS)
    return [
        words.shown(rows[one] | {"start_at": at}) | {"day": day_of(at, zone)}
        for at, one in shown
        if one in rows  # one that was deleted meanwhile is left out
    ]


def _links(span: Span, name: str, number: int, total: int) -> dict[str, str]:
    """To the days before and after, to today, and to the other pages of these days; empty where there are none."""

    def to(day: date, **more: Any) -> str:
        return f"{reverse('appointments')}?{urlencode({'day': day.isoformat(), 'span': name, **more})}"

    days = SPANS[name]
    return {
        "earlier": to(span.first - timedelta(days=days)) if (span.first - date.min).days >= days else "",
        "later": to(span.last + timedelta(days=1)) if span.last < date.max else "",
        "now": to(today(span.zone)),
        "page_before": to(span.first, page=number - 1) if number > 1 else "",
        "page_after": to(span.first, page=number + 1) if number * PAGE_SIZE < total else "",
    }

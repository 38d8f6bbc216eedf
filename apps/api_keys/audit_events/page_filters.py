"""The filters of the page of the audit log: the API's, and who it was, and days in the zone of who looks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from typing import NamedTuple

from django.db.models import QuerySet
from django.http import QueryDict

from apps.accounts.models import AuditEvent
from apps.api_keys.audit_events.filters import LONGEST, AuditEventFilter
from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.query import moments_of, narrowed
from helios_site.api.families.strict_json import storable
from helios_site.zones import zone_named

NAMES = ("who", "action", "object_id", "first", "last", "zone")


class Wrong(NamedTuple):
    field: str
    message: str


def typed_in(query: QueryDict) -> dict[str, str]:
    """Every filter as it was typed; empty where it was not."""
    return {name: query.get(name, "").strip() for name in NAMES}


def meant_by(typed: Mapping[str, str]) -> dict[str, str]:
    """Those that leave something out. A zone says nothing without a day."""
    days = typed["first"] or typed["last"]
    return {name: value for name, value in typed.items() if value and (name != "zone" or days)}


def chosen(events: QuerySet[AuditEvent], typed: Mapping[str, str]) -> tuple[QuerySet[AuditEvent], list[Wrong]]:
    """The events that the filters leave; with what is wrong with the filters, none."""
    wrong: list[Wrong] = []
    as_in_the_api = QueryDict(mutable=True)
    as_in_the_api.update({name: typed[name] for name in ("action", "object_id") if typed[name]})
    try:
        events = narrowed(AuditEventFilter, as_in_the_api, events)
    except Invalid as refusal:
        wrong += [Wrong(name, f"{messages[0]}.") for name, messages in refusal.details.items()]
    events, mistakes = _by_day(events, typed)
    wrong += mistakes
    if typed["who"]:
        kind, _, identifier = typed["who"].partition(":")
        if kind not in AuditEvent.Actor or len(identifier) > LONGEST or not storable(identifier):
            wrong.append(Wrong("who", "Choose one of those in the list."))
        else:
            events = events.filter(actor_type=kind)
            # Of staff an organisation does not learn which of them it was, so it cannot be asked for either.
            if identifier and kind in (AuditEvent.Actor.USER, AuditEvent.Actor.KEY):
                events = events.filter(actor_id=identifier)
    return (events.none() if wrong else events), wrong


def _by_day(events: QuerySet[AuditEvent], typed: Mapping[str, str]) -> tuple[QuerySet[AuditEvent], list[Wrong]]:
    days: dict[str, date | None] = {}
    wrong = []
    for name in ("first", "last"):
        try:
            days[name] = date.fromisoformat(typed[name]) if typed[name] else None
        except ValueError:
            wrong.append(Wrong(name, "Enter a day, such as 2026-03-31."))
    zone = zone_named(typed["zone"] or "UTC")
    if zone is None and (typed["first"] or typed["last"]):
        wrong.append(Wrong("first", "The time zone of your browser is not known here."))
    if wrong or not any(days.values()):
        return events, wrong
    begin, end = moments_of(days["first"], days["last"], zone)
    if begin >= end:
        return events, [Wrong("last", "The last day lies before the first.")]
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    return events.filter(at__gte=begin, at__lt=end), []

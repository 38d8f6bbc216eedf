"""The page of an organisation's audit log, for its admins, and its download. Both are on the record, as in the API."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts import audit
from apps.accounts.membership_required import for_admins
from apps.accounts.models import AuditEvent, Membership
from apps.api_keys.audit_events import page_filters, selectors, services, words
from apps.api_keys.audit_events.download import download
from apps.api_keys.audit_events.page_filters import Wrong

PAGE_SIZE = 50
MOST_PEOPLE = 200  # in the list to choose from; everybody's events can be reached by a row of theirs
KINDS = {"user": "Any member", "key": "Any key", "staff": "Staff", "system": "Helios itself"}


@require_safe
@for_admins
def audit_page(request: HttpRequest, current: Membership) -> HttpResponse:
    """Newest first, narrowed by what the query names, from the event `before` on."""
    typed = page_filters.typed_in(request.GET)
    events, wrong = page_filters.chosen(selectors.list_events(current.organization_id), typed)
    before = request.GET.get("before", "")
    if before and re.fullmatch("[0-9]{1,18}", before) is None:
        wrong = [*wrong, Wrong("before", "This place in the list is not there.")]
    found = [] if wrong else list((events.filter(id__lt=int(before)) if before else events)[: PAGE_SIZE + 1])
    rows, meant = found[:PAGE_SIZE], page_filters.meant_by(typed)
    actors = selectors.actors_of(current.organization_id, rows)
    if not wrong:
        _record("listed", request, current, meant)
    query = urlencode(meant)
    context: dict[str, Any] = {
        "current": current,
        "rows": [_row(event, actors) for event in rows],
        "typed": typed,
        "zone": typed["zone"] or "UTC",
        "query": query,
        "is_narrowed": bool(meant),
        "is_newest": not before,
        "older": urlencode({**meant, "before": rows[-1].pk}) if len(found) > PAGE_SIZE else "",
        "groups": words.GROUPS.items(),
        "is_known": typed["action"] in words.ACTIONS,
        "whos": _whos(current, typed["who"]),
        "wrong": wrong,
        "errors": dict(wrong),
    }
    return render(request, "audit.html", context, status=400 if wrong else 200)


@require_safe
@for_admins
def audit_download(request: HttpRequest, current: Membership) -> HttpResponseBase:
    """What the page shows with the same query, whole, oldest first, each event with its seal: the API's export."""
    typed = page_filters.typed_in(request.GET)
    events, wrong = page_filters.chosen(selectors.list_events(current.organization_id), typed)
    if wrong:
        return audit_page(request)
    _record("exported", request, current, page_filters.meant_by(typed))
    return download(request, events)


def _record(verb: str, request: HttpRequest, current: Membership, filters: dict[str, str]) -> None:
    services.record_reading(
        verb, actor=audit.by_user(request.user), organization_id=current.organization_id, filters=filters
    )


def _row(event: AuditEvent, actors: selectors.Actors) -> dict[str, Any]:
    is_theirs = event.actor_type in (AuditEvent.Actor.KEY, AuditEvent.Actor.USER)
    return {
        "event": event,
        "who": words.who(event, actors),
        "by": f"{event.actor_type}:{event.actor_id}" if is_theirs else event.actor_type,
        "did": words.did(event),
        "outcome": words.outcome(event),
    }


def _whos(current: Membership, wanted: str) -> list[tuple[str, str]]:
    """Whom one can choose: kinds of actors, present members, and whoever is chosen now."""
    people = selectors.people_of(current.organization_id)[:MOST_PEOPLE]
    choices = {**KINDS, **{f"user:{identifier}": email for identifier, email in people}}
    kind, _, identifier = wanted.partition(":")
    if wanted and wanted not in choices and kind in KINDS:
        choices[wanted] = f"{'Key' if kind == 'key' else 'Person'} {identifier}"
    return list(choices.items())

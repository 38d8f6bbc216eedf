"""What the pages of one key show."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import Membership
from apps.api_keys import limits, selectors, validation
from apps.api_keys.audit_events import selectors as trail
from apps.api_keys.audit_events import words
from apps.api_keys.audit_events.services import record_reading
from apps.api_keys.models import ApiKey
from apps.api_keys.pages import scope_choices, states
from apps.api_keys.pages.forms import KeyForm, form_of
from apps.api_keys.usage.openapi import DEFAULT_DAYS
from apps.api_keys.usage.selectors import limits_of, list_usage

EVENTS_SHOWN = 20


def own_key(current: Membership, key_id: UUID) -> ApiKey:
    """Raises Http404: another organisation's key is as absent as one that never was."""
    key = selectors.get_key(current.organization_id, key_id)
    if key is None:
        raise Http404
    return key


def show(
    request: HttpRequest,
    current: Membership,
    key: ApiKey,
    *,
    form: KeyForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The key's page. That its events are shown is an event, too."""
    record_reading(
        "listed",
        actor=audit.by_user(request.user),
        organization_id=key.organization_id,
        filters={"object_type": "api_key", "object_id": str(key.id)},
    )
    context = {
        **about(current, key),
        **form_context(current),
        "problem": problem,
        "form": form or form_of(key),
        "totals": _totals(key),
        "events": _events(key),
    }
    return render(request, "keys/key.html", context, status=status)


def about(current: Membership, key: ApiKey) -> dict[str, Any]:
    """What every page of a key says."""
    now = timezone.now()
    own, is_granted = key.rate_limit_per_minute, key.rate_limit_is_granted
    per_minute = [
        limits.per_minute(limits.of_key(current.organization.plan, own, is_granted=is_granted, general=general))
        for general in (settings.HELIOS_RATE_LIMIT, settings.HEALOS_RATE_LIMIT)
    ]
    return {
        "current": current,
        "key": key,
        "state": states.state_of(key, now),
        "attention": key.attention(now),
        "may_do": scope_choices.summary(key.scopes),
        "meanings": scope_choices.meanings(key.scopes),
        "per_minute": per_minute,
    }


def form_context(current: Membership) -> dict[str, Any]:
    """What the fields of a key's form say."""
    return {
        "sets": scope_choices.SETS.items(),
        "groups": scope_choices.groups(),
        "limits": limits_of(current.organization.plan),
        "highest": limits.highest_own(current.organization.plan),
        "max_name": validation.MAX_NAME_CHARS,
    }


def issued(
    request: HttpRequest, current: Membership, key: ApiKey, raw_key: str, *, old: ApiKey | None = None
) -> HttpResponse:
    """The one page that shows a raw key."""
    context = {
        **about(current, key),
        "raw_key": raw_key,
        "old": old,
        "old_state": old and states.state_of(old, timezone.now()),
        "base_url": settings.HELIOS_PUBLIC_BASE_URL,
    }
    return render(request, "keys/issued.html", context)


def _totals(key: ApiKey) -> dict[str, int | None]:
    """None each where it was not used."""
    today = timezone.now().date()
    first = today - timedelta(days=DEFAULT_DAYS - 1)
    days = list_usage(key.organization_id, first, today).filter(key_id=key.id)
    return days.aggregate(**{name: Sum(name) for name in ("requests_2xx", "runs_ok")})


def _events(key: ApiKey) -> list[dict[str, Any]]:
    of_key = trail.list_events(key.organization_id).filter(object_type="api_key", object_id=str(key.id))
    events = list(of_key[:EVENTS_SHOWN])
    actors = trail.actors_of(key.organization_id, events)
    return [{"event": one, "who": words.who(one, actors), "did": words.did(one)} for one in events]

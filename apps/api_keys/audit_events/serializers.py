"""An event in JSON."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import AuditEvent
from apps.api_keys.audit_events.selectors import Actors
from helios_site.api.families.healos.fields import timestamp


def event_body(event: AuditEvent, actors: Actors) -> dict[str, Any]:
    return {
        "id": str(event.pk),
        "at": timestamp(event.at),
        "action": event.action,
        "outcome": event.outcome,
        "actor": _actor(event, actors),
        "object_type": event.object_type,
        "object_id": event.object_id,
        "reason": event.reason,
        "address": event.address,
        "method": event.method,
        "path": event.path,
        "request_id": event.request_id,
    }


def _actor(event: AuditEvent, actors: Actors) -> dict[str, str | None]:
    """Who it was: a key of the organisation by its first characters, a member by the address. Of the installation's
    staff an organisation learns that it was staff, not which of them."""
    is_theirs = event.actor_type in (AuditEvent.Actor.KEY, AuditEvent.Actor.USER)
    return {
        "type": event.actor_type,
        "id": event.actor_id if is_theirs else None,
        "key_prefix": actors.key_prefixes.get(event.actor_id),
        "email": actors.emails.get(event.actor_id),
    }

"""The one way to write the audit trail: inside the transaction of what it records."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from apps.accounts.models import AuditEvent
from helios_site.api.context import current_request
from helios_site.logs import shorten_keys

MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it."""

    type: str
    id: str = ""


SYSTEM = Actor(AuditEvent.Actor.SYSTEM)


def by_key(key_id: uuid.UUID) -> Actor:
    return Actor(AuditEvent.Actor.KEY, str(key_id))


def by_user(user: Any) -> Actor:
    return Actor(AuditEvent.Actor.STAFF if user.is_staff else AuditEvent.Actor.USER, str(user.pk))


def clean_reason(reason: str) -> str:
    """Why somebody does it, in one line; a key that was pasted into it is shortened. Raises ValidationError."""
    reason = shorten_keys(" ".join(reason.split()))
    if not reason:
        raise ValidationError("Say why: the reason stays in the audit trail.")
    if len(reason) > MAX_REASON_CHARS or "\x00" in reason:
        raise ValidationError(f"A reason has at most {MAX_REASON_CHARS} characters, without NUL.")
    return reason


def record(
    action: str,
    *,
    actor: Actor,
    organization_id: uuid.UUID | None,
    object_type: str = "",
    object_id: object = "",
    outcome: str = "ok",
    reason: str = "",
) -> None:
    """Append one row (one INSERT). Address, method, path and request id come from the current request.

    What people typed may hold a key: it is shortened, since the row stays for ever.
    """
    request = current_request()
    AuditEvent.objects.create(
        action=action,
        actor_type=actor.type,
        actor_id=actor.id,
        organization_id=organization_id,
        object_type=object_type,
        object_id=str(object_id),
        outcome=outcome,
        reason=shorten_keys(reason)[:MAX_REASON_CHARS],
        address=request.address,
        method=request.method,
        path=request.path[:300],
        request_id=request.id,
    )


def record_replay(*, actor: Actor, organization_id: uuid.UUID, object_id: str) -> None:
    """Append that a caller was given the kept reply of an earlier call, which `path` names, once more."""
    record("request.replayed", actor=actor, organization_id=organization_id, object_id=object_id[:64])

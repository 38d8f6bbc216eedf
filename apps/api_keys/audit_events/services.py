"""That somebody read the audit trail is an event of it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from apps.accounts import audit
from helios_site.logs import redact


def record_reading(verb: str, *, actor: audit.Actor, organization_id: UUID, filters: Mapping[str, str]) -> None:
    """Append `audit_event.<verb>` with what was asked for."""
    audit.record(
        f"audit_event.{verb}",
        actor=actor,
        organization_id=organization_id,
        object_type="audit_event",
        reason=redact(urlencode(filters)),  # somebody may look for a whole key
    )

"""The rows of patients, and of what is kept of them, in the audit trail. They name ids, never contents."""

from __future__ import annotations

from uuid import UUID

from apps.accounts import audit


def record(
    kind: str,
    verb: str,
    *,
    organization_id: UUID,
    object_id: object = "",
    actor: audit.Actor = audit.SYSTEM,
    outcome: str = "ok",
    reason: str = "",
) -> None:
    """Append `<kind>.<verb>`; without an `object_id` it is about a list."""
    audit.record(
        f"{kind}.{verb}",
        actor=actor,
        organization_id=organization_id,
        object_type=kind,
        object_id=object_id,
        outcome=outcome,
        reason=reason,
    )

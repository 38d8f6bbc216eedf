"""A run's rows in the audit trail."""

from __future__ import annotations

from uuid import UUID

from apps.accounts import audit


def record(
    verb: str,
    *,
    organization_id: UUID,
    run_id: UUID | None,
    actor: audit.Actor = audit.SYSTEM,
    outcome: str = "ok",
    reason: str = "",
) -> None:
    """Append `model_run.<verb>`; without a `run_id` it is about a list of runs."""
    audit.record(
        f"model_run.{verb}",
        actor=actor,
        organization_id=organization_id,
        object_type="model_run",
        object_id="" if run_id is None else run_id,
        outcome=outcome,
        reason=reason,
    )

"""What the organisation's webhooks are told of a run, in the transaction that makes it true."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from apps.model_runs.models import ModelRun
from apps.webhooks.services import emit
from helios_site.api.events import Event


def ended(run: ModelRun, status: str, *, safety: Any = None) -> None:
    """One statement: that the run ended, and, to those who asked for it, that it holds a statement about self-harm."""
    types = ["model_run.completed" if status == "COMPLETE_OK" else "model_run.failed"]
    if safety and safety["selfHarmLanguage"]:
        types.append("model_run.safety")
    emit(*(_event(kind, run, status) for kind in types))


def deleted(run: ModelRun) -> None:
    """The run is gone, and with it what its earlier events said."""
    emit(_event("model_run.deleted", run, "DELETED"))


def erased(organization_id: UUID, run_ids: Iterable[UUID]) -> None:
    """The runs of a person are gone for good: said without the label, which may name the person."""
    events = [Event("model_run.deleted", organization_id, run_id, "DELETED") for run_id in run_ids]
    if events:
        emit(*events)


def _event(kind: str, run: ModelRun, status: str) -> Event:
    return Event(kind, run.organization_id, run.id, status, run.user_label)

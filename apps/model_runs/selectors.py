"""Reads of model runs. Each begins with the organisation."""

from __future__ import annotations

from uuid import UUID

from apps.model_runs.models import ModelRun, ModelRunQuerySet


def list_runs(organization_id: UUID) -> ModelRunQuerySet:
    """The runs that the organisation may still see, newest first."""
    return ModelRun.objects.visible_to(organization_id).order_by("-created_at", "-id")


def get_run(organization_id: UUID, run_id: UUID) -> ModelRun | None:
    """The run, or None: absent, foreign, deleted and erased look the same."""
    return ModelRun.objects.visible_to(organization_id).filter(id=run_id).first()

"""Reads of model runs and of models. Those of an organisation's data begin with the organisation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.utils import timezone

from apps.model_runs.models import (
    ModelRun,
    ModelRunQuerySet,
    Status,
    WellnessModelActivation,
    WellnessModelVersion,
)


def list_runs(organization_id: UUID) -> ModelRunQuerySet:
    """The runs that the organisation may still see, newest first."""
    return ModelRun.objects.visible_to(organization_id).order_by("-created_at", "-id")


def get_run(organization_id: UUID, run_id: UUID) -> ModelRun | None:
    """The run, or None: absent, foreign, deleted and erased look the same."""
    return ModelRun.objects.visible_to(organization_id).filter(id=run_id).first()


def count_linked(organization_id: UUID, patient_id: int) -> int:
    """How many runs an erasure of the patient takes along, in any state."""
    return ModelRun.objects.filter(organization_id=organization_id, patient_id=patient_id).count()


def count_open(organization_id: UUID, patient_id: int) -> int:
    """How many runs of the patient may still get their recording."""
    runs = list_runs(organization_id).filter(patient_id=patient_id, status=Status.CREATED)
    return runs.filter(upload_expires_at__gt=timezone.now()).count()


def current_activation(organization_id: UUID) -> WellnessModelActivation | None:
    """The latest step of the organisation; None if it has always used the shipped model."""
    return WellnessModelActivation.objects.filter(organization_id=organization_id).order_by("-number").first()


def active_model(organization_id: UUID) -> tuple[str | None, str | None]:
    """Version and SHA-256 of the stored model that the organisation uses; (None, None) for the shipped one."""
    steps = WellnessModelActivation.objects.filter(organization_id=organization_id).order_by("-number")
    return steps.values_list("model_id", "model__sha256").first() or (None, None)


def active_versions() -> list[str]:
    """The stored models that some organisation uses."""
    current = WellnessModelActivation.objects.in_force().filter(model__isnull=False)
    return sorted(set(current.values_list("model_id", flat=True)))


def stored_sha256(version: str) -> str | None:
    return WellnessModelVersion.objects.filter(version=version).values_list("sha256", flat=True).first()


def stored_card(version: str) -> str | None:
    """The card of a stored model, which may be empty; None for the shipped one."""
    return WellnessModelVersion.objects.filter(version=version).values_list("card", flat=True).first()


def stored_content(version: str) -> bytes:
    """The file of a stored model. Raises WellnessModelVersion.DoesNotExist."""
    return WellnessModelVersion.objects.values_list("content", flat=True).get(version=version).encode()


def models_with_organizations() -> QuerySet[Any]:
    """The stored models, newest first, without what is large; `used_by` are the names of their organisations."""
    users = WellnessModelActivation.objects.in_force().filter(model=OuterRef("pk")).order_by("organization__name")
    return (
        WellnessModelVersion.objects.defer("content", "evaluation", "card")
        .annotate(used_by=ArraySubquery(users.values("organization__name")))
        .order_by("-created_at", "version")
    )

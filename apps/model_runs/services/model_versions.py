"""Trained models: stored, activated for one organisation, rolled back. Stored runs keep the version that scored them.

An organisation's steps are taken one after the other: each service holds the organisation's row until it commits.
"""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.api_keys.validation import clean_reason
from apps.model_runs.model_choice import ModelUnavailable, model_of_version
from apps.model_runs.model_files import SHIPPED, ModelFile, digest
from apps.model_runs.models import WellnessModelActivation, WellnessModelVersion
from apps.model_runs.selectors import current_activation
from apps.model_runs.wellness.model import shipped


@transaction.atomic
def store_model(*, actor: audit.Actor, file: ModelFile) -> tuple[WellnessModelVersion, bool]:
    """The stored model, and whether it is new; the same file again changes nothing.

    Raises ValidationError if its version is the shipped one's, or that of another stored model.
    """
    version, sha256 = file.model.version, digest(file.content)
    if version == shipped().version:
        raise ValidationError(f"{version} is the version of the shipped model; a trained one needs its own.")
    stored, is_new = WellnessModelVersion.objects.get_or_create(
        version=version,
        defaults={
            "content": file.content.decode(),
            "sha256": sha256,
            "evaluation": file.evaluation,
            "card": file.card,
            "created_by": _name(actor),
        },
    )
    if stored.sha256 != sha256:
        raise ValidationError(
            f"Another model is stored as {version} (SHA-256 {stored.sha256}). A version is never stored anew: "
            "runs were scored with it. Give the new model a version of its own."
        )
    if is_new:
        _record("stored", actor, version, organization_id=None, reason=f"SHA-256 {sha256}")
    return stored, is_new


@transaction.atomic
def activate_model(
    *, actor: audit.Actor, organization_id: UUID, version: str, reason: str
) -> tuple[WellnessModelActivation | None, bool]:
    """Score the organisation's runs with the model of that version, or with the shipped one, from the next claim on.

    Returns the step that is in force now (None: there never was one) and whether this call took it: what is active
    already is left alone. Raises Organization.DoesNotExist; ValidationError without a reason, or for a model that is
    not stored or cannot be used.
    """
    reason = clean_reason(reason)
    current = lock_activations(organization_id)
    wanted = usable_model(version)
    if active(current) == wanted:
        return current, False
    return _step(actor, organization_id, current, model=wanted, before=current, reason=reason), True


@transaction.atomic
def roll_back_model(
    *, actor: audit.Actor, organization_id: UUID, reason: str, from_number: int | None = None
) -> WellnessModelActivation:
    """Return to what was active before the latest activation; again, to what was active before that one.

    With `from_number` only if that step is still the latest, so that a repeated request does not go back twice.
    Raises Organization.DoesNotExist; ValidationError without a reason, if there is nothing to return to, or if it can
    no longer be used.
    """
    reason = clean_reason(reason)
    current = lock_activations(organization_id)
    if current is None or not current.leads_back:
        raise ValidationError("The organisation uses the shipped model, and there is no activation to roll back.")
    if from_number not in (None, current.number):
        raise ValidationError("Another model was activated or rolled back meanwhile; look again.")
    before = current.before
    model = usable_model(active(before) or SHIPPED)
    further = before.before if before is not None else None
    return _step(actor, organization_id, current, model=model, before=further, reason=reason, is_roll_back=True)


def lock_activations(organization_id: UUID) -> WellnessModelActivation | None:
    """The organisation's latest step; nobody takes another one until the caller's transaction ends."""
    Organization.objects.select_for_update(no_key=True).only("id").get(id=organization_id)
    return current_activation(organization_id)


def usable_model(version: str) -> str | None:
    """The version as steps name it, None for the shipped model. Raises ValidationError if it cannot be used."""
    try:
        model = model_of_version(version)
    except ModelUnavailable as error:
        raise ValidationError(str(error)) from error
    return None if model is shipped() else model.version


def active(step: WellnessModelActivation | None) -> str | None:
    """The model that is active from this step on, None for the shipped one."""
    return None if step is None else step.model_id


def _step(
    actor: audit.Actor,
    organization_id: UUID,
    current: WellnessModelActivation | None,
    *,
    model: str | None,
    before: WellnessModelActivation | None,
    reason: str,
    is_roll_back: bool = False,
) -> WellnessModelActivation:
    step = WellnessModelActivation.objects.create(
        organization_id=organization_id,
        number=1 if current is None else current.number + 1,
        model_id=model,
        before=before,
        is_roll_back=is_roll_back,
        reason=reason,
        created_by=_name(actor),
    )
    replaced = active(current) or shipped().version
    verb = "rolled_back" if is_roll_back else "activated"
    reason = f"{reason} (instead of {replaced})"
    _record(verb, actor, model or shipped().version, organization_id=organization_id, reason=reason)
    return step


def _name(actor: audit.Actor) -> str:
    return f"{actor.type} {actor.id}".strip()


def _record(verb: str, actor: audit.Actor, version: str, *, organization_id: UUID | None, reason: str) -> None:
    audit.record(
        f"wellness_model.{verb}",
        actor=actor,
        organization_id=organization_id,
        object_type="wellness_model",
        object_id=version,
        reason=reason,
    )

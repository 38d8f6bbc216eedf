"""Renaming, suspending and resuming an organisation."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import Organization
from apps.accounts.services import clean_organization_name


@transaction.atomic
def rename_organization(*, actor: audit.Actor, organization_id: uuid.UUID, name: str) -> Organization:
    """Raises Organization.DoesNotExist, ValidationError for a name that is unusable or taken."""
    name = clean_organization_name(name)
    organization = _locked(organization_id)
    if organization.name == name:
        return organization
    if Organization.objects.filter(name=name).exists():
        raise ValidationError("Another organisation has this name. Choose another one.")
    before, organization.name = organization.name, name
    organization.save(update_fields=["name"])
    _record("organization.renamed", actor, organization, f"{before} to {name}")
    return organization


@transaction.atomic
def suspend_organization(*, actor: audit.Actor, organization_id: uuid.UUID, reason: str) -> bool:
    """From the next request on its keys are refused and its members do not work for it; whether this call did it.

    Raises Organization.DoesNotExist; ValidationError without a reason.
    """
    return _switch(organization_id, actor, reason, is_active=False)


@transaction.atomic
def resume_organization(*, actor: audit.Actor, organization_id: uuid.UUID, reason: str) -> bool:
    """End a suspension: keys that have not ended meanwhile are accepted again. As `suspend_organization`.

    One that is closing stays off: it is reopened, or not at all.
    """
    return _switch(organization_id, actor, reason, is_active=True)


def _switch(organization_id: uuid.UUID, actor: audit.Actor, reason: str, *, is_active: bool) -> bool:
    reason = audit.clean_reason(reason)
    organization = _locked(organization_id)
    if organization.is_active == is_active or organization.closing_at is not None:
        return False
    organization.is_active = is_active
    organization.save(update_fields=["is_active"])
    _record("organization.resumed" if is_active else "organization.suspended", actor, organization, reason)
    return True


def _locked(organization_id: uuid.UUID) -> Organization:
    return Organization.objects.select_for_update(no_key=True).get(id=organization_id)


def _record(action: str, actor: audit.Actor, organization: Organization, reason: str) -> None:
    audit.record(
        action,
        actor=actor,
        organization_id=organization.id,
        object_type="organization",
        object_id=organization.id,
        reason=reason,
    )

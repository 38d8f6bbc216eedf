"""What an organisation decides about itself, and its suspension by staff."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts import audit, consent_texts
from apps.accounts.models import Organization
from apps.accounts.origins import clean_origins
from apps.accounts.services import clean_organization_name
from helios_site.zones import names_to_choose


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
def change_activity_origins(*, actor: audit.Actor, organization_id: uuid.UUID, origins: Sequence[str]) -> Organization:
    """Whose pages may frame the hosted activity, and where it may return to; empty: as the installation is set.

    Raises Organization.DoesNotExist, ValidationError for what is no origin."""
    found = clean_origins(origins)
    organization = _locked(organization_id)
    if organization.activity_origins != found:
        organization.activity_origins = found
        organization.save(update_fields=["activity_origins"])
        _record("organization.activity_origins_changed", actor, organization, " ".join(found) or "none")
    return organization


@transaction.atomic
def change_consent_text(*, actor: audit.Actor, organization_id: uuid.UUID, text: str) -> str:
    """Show this text from now on, as a new version unless it is the present one; the version that is shown.

    Raises Organization.DoesNotExist, ValidationError for an unusable text."""
    text = consent_texts.clean_text(text)
    organization = _locked(organization_id)
    present = consent_texts.present(organization)
    if present.text == text:
        return present.version
    last = organization.consent_texts.order_by("-number").values_list("number", flat=True).first() or 0
    added = organization.consent_texts.create(number=last + 1, text=text)
    _record("organization.consent_text_changed", actor, organization, f"version {added.number}")
    return str(added.number)


@transaction.atomic
def change_defaults(
    *,
    actor: audit.Actor,
    organization_id: uuid.UUID,
    check_language: str,
    check_delete_data: bool,
    notes_from_runs: bool | None,
    time_zone: str,
) -> Organization:
    """What a new check begins with (no language: the installation's first one), whether finished runs of patients
    leave notes, and by whose clocks the pages show days (None, or no name: as the installation is set).

    Raises Organization.DoesNotExist, ValidationError for a language that the installation does not take and for a time
    zone that is not among `zones.names_to_choose`."""
    if check_language and check_language not in settings.HELIOS_LANGUAGES:
        raise ValidationError(f"Choose one of these languages: {', '.join(settings.HELIOS_LANGUAGES)}.")
    if time_zone and time_zone not in names_to_choose():
        raise ValidationError("Choose one of the time zones in the list.")
    organization = _locked(organization_id)
    wanted = {
        "check_language": check_language,
        "check_delete_data": check_delete_data,
        "notes_from_runs": notes_from_runs,
        "time_zone": time_zone,
    }
    changes = {name: value for name, value in wanted.items() if getattr(organization, name) != value}
    if changes:
        for name, value in changes.items():
            setattr(organization, name, value)
        organization.save(update_fields=list(changes))
        said = ", ".join(f"{name}: {value}" for name, value in changes.items())
        _record("organization.defaults_changed", actor, organization, said)
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

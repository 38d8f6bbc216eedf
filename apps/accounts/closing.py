"""The end of an organisation: closed by an admin of it or by staff, reopened within 14 days, or erased after them.

While it is closing it is switched off, so that its keys and its members are refused from the next request on. What the
apps above this one must do then they learn from the events `organization.closing` and `organization.reopened`; the
archive for its admins, and the erasure, which need to know all of them, are services of `apps.model_runs`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils import timezone

from apps.accounts import audit, closing_notices
from apps.accounts.models import Invitation, Membership, Organization, OrganizationNotice
from helios_site.api.events import Event, announce
from helios_site.bell import ring_on_commit

GRACE = timedelta(days=14)
EXPORT = "helios.runs.export_organization"
Kind = OrganizationNotice.Kind


class CannotClose(Exception):
    """The text says why, and what to do instead."""


class CannotReopen(Exception):
    """The organisation is not closing, or it is too late."""


@transaction.atomic
def close_organization(*, actor: audit.Actor, organization_id: UUID, by: str, reason: str = "") -> Organization:
    """Switch an organisation off and have it erased after `GRACE`; its admins are mailed that `by` did it, and get an
    archive of its data. Raises CannotClose."""
    organization = _locked(organization_id)
    if organization.closing_at is not None:
        raise CannotClose("It is closing, or closed, already.")
    if not organization.is_active:
        # Whoever reopens it would end the suspension, which is the operator's to end.
        raise CannotClose("It is suspended: end that before you close it.")
    organization.is_active = False
    organization.closing_at = timezone.now() + GRACE
    organization.save(update_fields=["is_active", "closing_at"])
    _record("closing", organization, actor=actor, reason=reason)
    closing_notices.write(organization, Kind.CLOSING, detail=by)
    announce(Event("organization.closing", organization.id, organization.id, "closing"))
    ring_on_commit(EXPORT, str(organization.id))  # beat rings, too, until there is an archive
    return organization


@transaction.atomic
def reopen_organization(*, actor: audit.Actor, organization_id: UUID, by: str, reason: str = "") -> Organization:
    """Everything is as it was before the closing, and links to the archive lead nowhere. Raises CannotReopen."""
    organization = _locked(organization_id)
    if organization.closing_at is None or timezone.now() >= organization.closing_at:
        raise CannotReopen
    organization.is_active = True
    organization.closing_at = None
    organization.archive_key = ""  # what no row names is removed from the storage within hours
    organization.save(update_fields=["is_active", "closing_at", "archive_key"])
    _record("reopened", organization, actor=actor, reason=reason)
    organization.notices.filter(sent_at__isnull=True).delete()
    closing_notices.write(organization, Kind.REOPENED, detail=by)
    announce(Event("organization.reopened", organization.id, organization.id, "reopened"))
    return organization


@transaction.atomic
def name_archive(*, organization_id: UUID, closing_at: datetime, key: str, content: str) -> bool:
    """Let the admins have the archive that is stored under `key`; False when that closing has ended meanwhile, or has
    an archive already. `content` says in the audit trail what is in it."""
    organization = _locked(organization_id)
    if organization.closing_at != closing_at or organization.closed_at is not None or organization.archive_key:
        return False
    organization.archive_key = key
    organization.save(update_fields=["archive_key"])
    _record("exported", organization, actor=audit.SYSTEM, reason=content)
    closing_notices.write(organization, Kind.ARCHIVE)
    return True


@transaction.atomic
def forget_organization(*, organization_id: UUID, reason: str) -> None:
    """The last step of an erasure: who belonged to it, and its name. The row stays, as keys and the audit trail name
    it; so do the accounts of its members, which are their own."""
    organization = _locked(organization_id)
    forget_log_entries(Membership, organization.memberships.values_list("pk", flat=True))
    forget_log_entries(Invitation, organization.invitations.values_list("pk", flat=True))
    forget_log_entries(Organization, [organization.id])
    organization.memberships.all().delete()
    organization.invitations.all().delete()
    organization.notices.all().delete()
    organization.consent_texts.all().delete()
    organization.activity_origins = []
    organization.name = f"Closed organisation {organization.id.hex[:12]}"
    organization.closed_at = timezone.now()
    organization.archive_key = ""
    organization.save(update_fields=["name", "closed_at", "archive_key", "activity_origins"])
    _record("erased", organization, actor=audit.SYSTEM, reason=reason)


def forget_log_entries(model: type[models.Model], ids: Iterable[Any]) -> None:
    """Django's own log of the admin holds the name of what was changed; that it was is in the audit trail."""
    kind = ContentType.objects.get_for_model(model)
    LogEntry.objects.filter(content_type=kind, object_id__in=list(map(str, ids))).delete()


def _locked(organization_id: UUID) -> Organization:
    return Organization.objects.select_for_update(no_key=True).get(id=organization_id)


def _record(verb: str, organization: Organization, *, actor: audit.Actor, reason: str) -> None:
    audit.record(
        f"organization.{verb}",
        actor=actor,
        organization_id=organization.id,
        object_type="organization",
        object_id=organization.id,
        reason=reason,
    )

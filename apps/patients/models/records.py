"""What patients, appointments, documents and notes have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import models
from django.utils import timezone

from apps.accounts.models import Organization

_Kept = TypeVar("_Kept", bound="Record")


def now_to_the_millisecond() -> datetime:
    """Now, as replies show it: a time that a caller copied from one finds its row again."""
    now = timezone.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class RecordQuerySet(models.QuerySet[_Kept]):
    """Every read of the API begins with `of`."""

    def of(self, organization_id: UUID) -> RecordQuerySet[_Kept]:
        """The organisation's, without what it deleted."""
        return self.filter(organization_id=organization_id, deleted_at__isnull=True)

    def deleted_of(self, organization_id: UUID, since: datetime) -> RecordQuerySet[_Kept]:
        """What the organisation deleted at `since` or later, and can still bring back."""
        return self.filter(organization_id=organization_id, deleted_at__gte=since)


class Record(models.Model):
    """Belongs to one organisation, for ever; the indexes of each kind begin with it. Deleting it sets `deleted_at`; a
    job removes it later."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=now_to_the_millisecond, editable=False)
    updated_at = models.DateTimeField(default=now_to_the_millisecond, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)  # its ETag; one more with each change
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = RecordQuerySet.as_manager()

    class Meta:
        abstract = True

"""How many records an organisation has, without counting them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class RecordCount(models.Model):
    """A change in the number of an organisation's live records of one kind, or the sum of earlier changes.

    Triggers on the tables add a row for each statement that changes the number, so that it is true whoever writes, and
    writers never wait for one another. The number is the sum; a job replaces many rows by one.
    """

    organization_id = models.UUIDField()
    kind = models.CharField(max_length=16)  # "patient", "appointment" or "note"
    live = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["organization_id", "kind"], include=["live"], name="record_count")]

    def __str__(self) -> str:
        return f"{self.live} {self.kind}"

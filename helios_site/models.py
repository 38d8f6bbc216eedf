"""What the API families keep by themselves, whatever app answers a call."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone


class IdempotentReply(models.Model):
    """The reply to a call that carried an `Idempotency-Key`, written in the transaction of what the call did."""

    scope = models.CharField(max_length=64, primary_key=True)  # SHA-256 of organisation, method, path and key
    organization_id = models.UUIDField()
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    encrypted = models.BinaryField(null=True)  # body and headers; null where they showed a secret
    object_ids = ArrayField(models.TextField())  # of what path and reply name; it goes when one of them is erased
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()  # nobody looks at these
        verbose_name_plural = "idempotent replies"
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="idempotent_reply_oldest"),
            GinIndex(fields=["object_ids"], name="idempotent_reply_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.scope[:12]}…"


class ErasedObject(models.Model):
    """An object of the storage whose row was erased, until it is removed, too."""

    storage_key = models.CharField(max_length=200, primary_key=True)
    due_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["due_at"], name="erased_object_due")]

    def __str__(self) -> str:
        return self.storage_key

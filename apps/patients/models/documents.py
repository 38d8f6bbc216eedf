"""Files of patients. The bytes are in the object storage; a row names them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.patients.models.patients import Patient
from apps.patients.models.records import Record


class Document(Record):
    class Status(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="documents", db_index=False)
    deleted_with_patient = models.BooleanField(default=False, editable=False)  # and comes back with it
    filename = models.CharField(max_length=255)
    file_type = models.CharField(max_length=8)  # "pdf", "jpg", "jpeg", "png" or "docx"
    file_size = models.BigIntegerField()  # bytes
    sha256 = models.CharField(max_length=64)
    storage_key = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.PENDING)
    status_reason = models.CharField(max_length=500, blank=True)  # why it failed
    check_due_at = models.DateTimeField(null=True)  # while it is pending: when the check is asked for (again)
    check_tries = models.PositiveSmallIntegerField(default=0)
    check_tries_excused = models.PositiveSmallIntegerField(default=0, db_default=0)  # those that the storage failed
    external_id = models.CharField(max_length=255, null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "ready", "failed"]), name="document_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", check_due_at__isnull=False)
                | ~Q(status="pending") & Q(check_due_at__isnull=True),
                name="document_checked_once",
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="document_external_id_not_empty"),
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                name="document_external_id",
                condition=Q(deleted_at__isnull=True, external_id__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index("patient", F("created_at").desc(), F("id").desc(), name="document_of_patient"),
            models.Index(
                "organization", F("created_at").desc(), F("id").desc(),
                name="document_newest", condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                F("created_at").desc(), F("id").desc(),
                name="document_newest_of_all", condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                F("created_at").desc(), F("id").desc(), name="document_failed", condition=Q(status="failed")
            ),
            models.Index(fields=["check_due_at"], name="document_to_check", condition=Q(status="pending")),
            models.Index(fields=["deleted_at"], name="document_to_purge", condition=Q(deleted_at__isnull=False)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.id)

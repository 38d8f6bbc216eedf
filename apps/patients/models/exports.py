"""Archives of all that is kept of one patient."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization
from apps.patients.models.patients import Patient
from apps.patients.models.records import now_to_the_millisecond


class PatientExport(models.Model):
    """One archive that was asked for. The row is the truth: while it is pending, a job has it made."""

    class Status(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="exports", db_index=False)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.PENDING)
    created_at = models.DateTimeField(default=now_to_the_millisecond, editable=False)
    due_at = models.DateTimeField(null=True)  # while it is pending: when it is asked for (again)
    tries = models.PositiveSmallIntegerField(default=0)
    storage_key = models.CharField(max_length=200, blank=True)  # once it is ready
    expires_at = models.DateTimeField(null=True)  # once it is ready or failed: when the row goes, and the archive
    # Whether runs are in it, linked or not by now. Of an archive that does not say so it must be assumed.
    holds_runs = models.BooleanField(default=False, db_default=True)
    # While it is pending: something of the patient was removed since a worker began, who may have read it before.
    is_outdated = models.BooleanField(default=False, db_default=False)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="pending", due_at__isnull=False, expires_at__isnull=True, storage_key="")
                | Q(status="ready", due_at__isnull=True, expires_at__isnull=False) & ~Q(storage_key="")
                | Q(status="failed", due_at__isnull=True, expires_at__isnull=False, storage_key=""),
                name="patient_export_status_fits",
            ),
            models.UniqueConstraint(
                fields=["patient"], name="patient_export_pending_once", condition=Q(status="pending")
            ),
            models.UniqueConstraint(fields=["storage_key"], name="patient_export_key", condition=~Q(storage_key="")),
        ]
        indexes: ClassVar = [
            models.Index(fields=["patient"], name="patient_export_of_patient"),
            models.Index(fields=["due_at"], name="patient_export_due", condition=Q(status="pending")),
            models.Index(fields=["expires_at"], name="patient_export_expiring", condition=Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.id)

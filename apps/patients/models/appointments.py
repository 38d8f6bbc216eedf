"""When patients are seen. A rule that repeats an appointment is part of its one row."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.patients.models.patients import Patient
from apps.patients.models.records import Record


class Appointment(Record):
    class VisitType(models.TextChoices):
        TELEHEALTH = "Telehealth"
        IN_PERSON = "In-Person"
        BOTH = "Both"
        OTHER = "Other"

    class Status(models.TextChoices):
        SCHEDULED = "SCHEDULED"
        COMPLETED = "COMPLETED"
        CANCELLED = "CANCELLED"
        NO_SHOW = "NO_SHOW"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="appointments", db_index=False)
    deleted_with_patient = models.BooleanField(default=False, editable=False)  # and comes back with it
    appointment_type = models.CharField(max_length=255)
    visit_type = models.CharField(max_length=10, choices=VisitType.choices)
    start_at = models.DateTimeField()
    duration_minutes = models.PositiveIntegerField()
    notes = models.TextField(blank=True)
    status = models.CharField(max_length=9, choices=Status.choices)
    repeat_rule = models.JSONField(null=True, blank=True)  # {"frequency", "interval", "end_date"}
    external_id = models.CharField(max_length=255, null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(duration_minutes__gte=1), name="appointment_lasts"),
            models.CheckConstraint(
                condition=Q(visit_type__in=["Telehealth", "In-Person", "Both", "Other"]),
                name="appointment_visit_type_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["SCHEDULED", "COMPLETED", "CANCELLED", "NO_SHOW"]),
                name="appointment_status_known",
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="appointment_external_id_not_empty"),
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                name="appointment_external_id",
                condition=Q(deleted_at__isnull=True, external_id__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["organization", "start_at", "id"],
                name="appointment_by_start", condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "created_at", "id"],
                name="appointment_by_creation", condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                F("created_at").desc(), F("id").desc(),
                name="appointment_newest_of_all", condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "start_at"],
                name="appointment_repeated", condition=Q(deleted_at__isnull=True, repeat_rule__isnull=False),
            ),
            models.Index(fields=["patient", "start_at", "id"], name="appointment_of_patient"),
            models.Index(fields=["deleted_at"], name="appointment_to_purge", condition=Q(deleted_at__isnull=False)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.id)

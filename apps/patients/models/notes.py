"""Clinical notes, and the sessions that they were taken in. The API only reads them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Organization, User
from apps.patients.models.patients import Patient
from apps.patients.models.records import Record, now_to_the_millisecond


class Session(models.Model):
    """One meeting with a patient, or one voice check, with what was said in it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    title = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=32, default="completed")
    session_date = models.DateField()
    start_time = models.DateTimeField(null=True, blank=True)
    end_time = models.DateTimeField(null=True, blank=True)
    text = models.TextField(blank=True)  # the transcript
    summary = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now_to_the_millisecond, editable=False)
    # The finished run that it came from; no foreign key, since runs know patients and not the other way round.
    model_run_id = models.UUIDField(null=True, unique=True, editable=False)

    class Meta:
        indexes: ClassVar = [models.Index("patient", F("session_date").desc(), name="session_of_patient")]

    def __str__(self) -> str:
        return str(self.id)


class Note(Record):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="clinical_notes", db_index=False)
    deleted_with_patient = models.BooleanField(default=False, editable=False)  # and comes back with it
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="notes")
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    note_type = models.CharField(max_length=64, default="clinical_visit")
    specialty = models.CharField(max_length=255, null=True, blank=True)
    template_id = models.CharField(max_length=255, null=True, blank=True)
    template_name = models.CharField(max_length=255, null=True, blank=True)
    content = models.TextField(blank=True)
    problems = ArrayField(models.TextField(), default=list, blank=True)
    procedures = ArrayField(models.TextField(), default=list, blank=True)
    icd10_codes = models.JSONField(default=dict, blank=True, verbose_name="ICD-10 codes")
    cpt_codes = models.JSONField(default=dict, blank=True, verbose_name="CPT codes")

    class Meta:
        indexes: ClassVar = [
            models.Index(
                "organization", F("created_at").desc(), F("id").desc(),
                name="note_newest", condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                F("created_at").desc(), F("id").desc(),
                name="note_newest_of_all", condition=Q(deleted_at__isnull=True),
            ),
            models.Index("patient", F("created_at").desc(), F("id").desc(), name="note_of_patient"),
            models.Index(fields=["deleted_at"], name="note_to_purge", condition=Q(deleted_at__isnull=False)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.id)

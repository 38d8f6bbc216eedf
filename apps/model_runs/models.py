"""Model runs: one execution of the wellness model on one recording."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apps.accounts.models import Organization
from apps.api_keys.models import ApiKey
from apps.model_runs.run_day import RunDay
from apps.patients.models import Patient


class Status(models.TextChoices):
    CREATED = "CREATED"
    RUNNING = "RUNNING"
    COMPLETE_OK = "COMPLETE_OK"
    COMPLETE_ERROR = "COMPLETE_ERROR"


class BirthSex(models.TextChoices):
    MALE = "MALE"
    FEMALE = "FEMALE"
    INTERSEX = "INTERSEX"
    UNKNOWN = "UNKNOWN"


class DataToDelete(models.TextChoices):
    """The kinds of data that `deleteData` can name; none named means all."""

    RECORDINGS = "RECORDINGS"
    INPUTS = "INPUTS"
    RESULTS = "RESULTS"


class ModelRunQuerySet(models.QuerySet["ModelRun"]):
    def visible_to(self, organization_id: uuid.UUID, now: datetime | None = None) -> ModelRunQuerySet:
        """The organisation's runs without those whose results were due to be erased, even if the job is late."""
        due = (now or timezone.now()) - timedelta(hours=settings.HELIOS_DELETE_DATA_AFTER_HOURS)
        erased = Q(delete_data=True, completed_at__lte=due) & (
            Q(data_to_delete=[]) | Q(data_to_delete__contains=[DataToDelete.RESULTS])
        )
        # `completed_at` is null on unfinished runs: NOT of a null comparison would drop them.
        return self.filter(organization_id=organization_id).filter(~erased | Q(completed_at__isnull=True))

    def unclaimed(self) -> ModelRunQuerySet:
        return self.filter(status=Status.RUNNING, lease_expires_at__isnull=True)


class ModelRun(models.Model):
    """The row is the truth of a run's life; the broker only rings the bell."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="model_runs")
    created_by_key = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="+")
    patient = models.ForeignKey(
        Patient, null=True, on_delete=models.SET_NULL, related_name="model_runs", db_index=False
    )
    rerun_of = models.UUIDField(null=True, editable=False)  # the failed run that staff ran again

    # Inputs
    user_label = models.CharField(max_length=50)
    date_of_birth = models.DateField(null=True)
    birth_sex = models.CharField(max_length=8, blank=True)
    language = models.CharField(max_length=10, blank=True)
    accent = models.TextField(null=True)
    # Wall-clock times of the person, kept as they were sent: they have no time zone.
    sleep_time = models.CharField(max_length=32, null=True)
    wake_time = models.CharField(max_length=32, null=True)
    recording_time = models.CharField(max_length=32, null=True)
    tags = models.JSONField(default=list)  # [{"name": …, "value": …}]
    delete_data = models.BooleanField(default=False)
    data_to_delete = ArrayField(models.CharField(max_length=10), default=list)

    # The hosted activity. The database's own defaults are for the release before, which does not name them.
    consent_version = models.CharField(max_length=20, blank=True, default="", db_default="")  # of the text agreed to
    consented_at = models.DateTimeField(null=True)
    return_url = models.TextField(blank=True, default="", db_default="")

    # Life
    status = models.CharField(max_length=14, choices=Status.choices, default=Status.CREATED)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    upload_expires_at = models.DateTimeField()
    run_at = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True)
    enqueue_count = models.PositiveSmallIntegerField(default=0)  # the sweeper's gap doubles with it
    first_claimed_at = models.DateTimeField(null=True)  # the deadline counts from here
    lease_expires_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    completed_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    # Recording
    recording_key = models.CharField(max_length=200, blank=True)  # in the storage; empty once deleted
    recording_sha256 = models.CharField(max_length=64, blank=True)
    recording_bytes = models.BigIntegerField(null=True)

    # Outcome
    error_code = models.CharField(max_length=32, blank=True)
    error_reason = models.TextField(blank=True)
    warnings = ArrayField(models.TextField(), default=list)
    transcript = models.TextField(blank=True)
    scores = models.JSONField(null=True)  # the eleven values by their API names
    duration_seconds = models.FloatField(null=True)
    speech_seconds = models.FloatField(null=True)
    quality = models.JSONField(null=True)
    confidence = models.JSONField(null=True)
    evidence = models.JSONField(null=True)
    explanation = models.JSONField(null=True)
    safety = models.JSONField(null=True)  # statements about self-harm, with the words: erased with the results
    outline = models.JSONField(null=True)  # loudness, speech and pitch over the recording's length
    model_version = models.CharField(max_length=64, blank=True)
    stage_seconds = models.JSONField(null=True)  # pipeline stage -> seconds

    objects = ModelRunQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="run_newest_of_organization"),
            models.Index(fields=["organization", "user_label", "-created_at", "-id"], name="run_by_label"),
            models.Index(fields=["-created_at", "-id"], name="run_newest"),
            models.Index(
                fields=["patient", "-created_at", "-id"], name="run_of_patient", condition=Q(patient__isnull=False)
            ),
            # A person's readings in the order of their days, for what is usual of them.
            models.Index(
                "patient", RunDay().desc(), F("created_at").desc(), F("id").desc(),
                name="run_reading_of_patient", condition=Q(status="COMPLETE_OK", patient__isnull=False),
            ),
            models.Index(
                "organization", "user_label", RunDay().desc(), F("created_at").desc(), F("id").desc(),
                name="run_reading_of_label", condition=Q(status="COMPLETE_OK"),
            ),
            models.Index(
                fields=["organization", "error_code", "-created_at", "-id"],
                name="run_failed_by_reason", condition=Q(status="COMPLETE_ERROR"),
            ),
            models.Index(fields=["enqueued_at"], name="run_running", condition=Q(status="RUNNING")),
            models.Index(fields=["created_at"], name="run_never_uploaded", condition=Q(status="CREATED")),
            models.Index(
                fields=["completed_at"],
                name="run_to_erase",
                condition=Q(delete_data=True, erased_at__isnull=True),
            ),
            models.Index(fields=["completed_at"], name="run_with_recording", condition=~Q(recording_key="")),
            GinIndex(fields=["tags"], name="run_tags", opclasses=["jsonb_path_ops"]),
        ]  # fmt: skip
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="run_status_known"),
            models.CheckConstraint(
                condition=Q(status="CREATED", run_at__isnull=True) | ~Q(status="CREATED") & Q(run_at__isnull=False),
                name="run_at_set_from_running_on",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["CREATED", "RUNNING"], completed_at__isnull=True)
                | Q(status__in=["COMPLETE_OK", "COMPLETE_ERROR"], completed_at__isnull=False),
                name="run_completed_when_terminal",
            ),
            models.CheckConstraint(
                condition=Q(consent_version="", consented_at__isnull=True)
                | ~Q(consent_version="") & Q(consented_at__isnull=False),
                name="run_consent_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="COMPLETE_ERROR") | ~Q(error_code=""), name="run_error_has_code"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


THE_SHIPPED_MODEL = "the shipped model"


class WellnessModelVersion(models.Model):
    """A wellness model that was trained for this installation; its version is its name in runs and in the audit trail.

    The database refuses every UPDATE, and the deletion of a model that an activation or a run names: what a stored
    run was scored with stays known.
    """

    version = models.CharField(max_length=64, primary_key=True)
    content = models.TextField()  # the model's file byte for byte, so that anybody can compare the SHA-256
    sha256 = models.CharField(max_length=64)
    evaluation = models.JSONField(null=True)  # the figures that training measured on held-out speakers
    card = models.TextField(blank=True)  # Markdown
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=80)  # "system", or kind and id of the actor

    class Meta:
        verbose_name = "wellness model"

    def __str__(self) -> str:
        return self.version


class ActivationQuerySet(models.QuerySet["WellnessModelActivation"]):
    def marked(self) -> ActivationQuerySet:
        """With `is_in_force`: whether it is the latest of its organisation, the one that decides."""
        return self.annotate(is_in_force=~models.Exists(_later()))

    def in_force(self) -> ActivationQuerySet:
        return self.filter(~models.Exists(_later()))


def _later() -> ActivationQuerySet:
    return WellnessModelActivation.objects.filter(
        organization=models.OuterRef("organization"), number__gt=models.OuterRef("number")
    )


class WellnessModelActivation(models.Model):
    """One step in the history of what scores an organisation's runs. Rows are added and never changed.

    The one with the highest number decides; numbers are unique within the organisation, so that of two steps taken
    at once one must come after the other. An organisation without any uses the shipped model.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()  # 1, 2, 3 … within the organisation
    model = models.ForeignKey(WellnessModelVersion, null=True, on_delete=models.PROTECT, related_name="activations")
    is_roll_back = models.BooleanField(default=False)
    # What a roll-back of this step returns to; null is the shipped model, as before the first step.
    before = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=80)

    objects = ActivationQuerySet.as_manager()

    class Meta:
        verbose_name = "wellness model activation"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "number"], name="activation_numbered_once"),
        ]

    def __str__(self) -> str:
        return f"step {self.number} of {self.organization}: {self.model_name}"

    @property
    def model_name(self) -> str:
        return self.model_id or THE_SHIPPED_MODEL

    @property
    def leads_back(self) -> bool:
        """False where everything has been rolled back already."""
        return self.model_id is not None or self.before_id is not None

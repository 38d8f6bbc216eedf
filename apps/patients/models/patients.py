"""The people whom an organisation looks after."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from apps.patients import names
from apps.patients.ids import HIGHEST, new_patient_id
from apps.patients.models.records import Record


class Patient(Record):
    id = models.BigIntegerField(primary_key=True, default=new_patient_id, editable=False)
    name = models.CharField(max_length=255)
    # What a search compares: `names.folded(name)`, in the order of its code points, as prefixes need.
    search_name = models.CharField(max_length=names.LONGEST, db_collation="C", editable=False)
    pronouns = models.CharField(max_length=255, null=True, blank=True)
    notes = models.TextField(null=True, blank=True)
    consent = models.BooleanField(
        default=False, help_text="Whether the person agreed to voice checks being linked to this record."
    )
    # When it was last given or withdrawn; null where it never was, or before this was kept.
    consent_changed_at = models.DateTimeField(null=True, editable=False)
    external_id = models.CharField(max_length=255, null=True, blank=True)
    # What clinical notes show of the person; from the admin and from imports.
    first_name = models.CharField(max_length=255, null=True, blank=True)
    last_name = models.CharField(max_length=255, null=True, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    gender = models.CharField(max_length=255, null=True, blank=True)
    email = models.CharField(max_length=255, null=True, blank=True)
    phone = models.CharField(max_length=255, null=True, blank=True)
    mrn = models.CharField(max_length=255, null=True, blank=True, verbose_name="MRN")
    client_history = models.JSONField(null=True, blank=True)  # the texts of CLIENT_HISTORY, each may be null

    CLIENT_HISTORY: ClassVar = ("medical_history", "family_history", "social_history", "previous_treatment")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id__gte=1, id__lte=HIGHEST), name="patient_id_positive"),
            models.CheckConstraint(condition=~Q(name=""), name="patient_has_name"),
            models.CheckConstraint(condition=~Q(external_id=""), name="patient_external_id_not_empty"),
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                name="patient_external_id",
                condition=Q(deleted_at__isnull=True, external_id__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # Lists read a far page's ids from the index alone, and searches which of them are found.
            models.Index(
                "organization", F("created_at").desc(), F("id").desc(), include=["search_name"],
                name="patient_newest", condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                F("created_at").desc(), F("id").desc(),
                name="patient_newest_of_all", condition=Q(deleted_at__isnull=True),
            ),  # the staff's list
            models.Index(
                fields=["organization", "search_name", "id"],
                name="patient_by_name", condition=Q(deleted_at__isnull=True),
            ),
            GinIndex(
                fields=["organization", "search_name"],
                opclasses=["uuid_ops", "gin_trgm_ops"],
                name="patient_search", condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["deleted_at"], name="patient_to_purge", condition=Q(deleted_at__isnull=False)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.id)  # never the name: this is what logs and messages show

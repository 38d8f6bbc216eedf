"""Archives of all that is kept of one patient."""

from __future__ import annotations

import uuid

import django.db.models.deletion
from django.db import migrations, models

import apps.patients.models.records


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_staff_groups"),
        ("patients", "0003_record_counts"),
    ]

    operations = [
        migrations.CreateModel(
            name="PatientExport",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("ready", "Ready"), ("failed", "Failed")],
                        default="pending",
                        max_length=7,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=apps.patients.models.records.now_to_the_millisecond, editable=False),
                ),
                ("due_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("storage_key", models.CharField(blank=True, max_length=200)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to="patients.patient",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["patient"], name="patient_export_of_patient"),
                    models.Index(
                        condition=models.Q(("status", "pending")), fields=["due_at"], name="patient_export_due"
                    ),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False)),
                        fields=["expires_at"],
                        name="patient_export_expiring",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("due_at__isnull", False),
                                ("expires_at__isnull", True),
                                ("status", "pending"),
                                ("storage_key", ""),
                            ),
                            models.Q(
                                ("due_at__isnull", True),
                                ("expires_at__isnull", False),
                                ("status", "ready"),
                                models.Q(("storage_key", ""), _negated=True),
                            ),
                            models.Q(
                                ("due_at__isnull", True),
                                ("expires_at__isnull", False),
                                ("status", "failed"),
                                ("storage_key", ""),
                            ),
                            _connector="OR",
                        ),
                        name="patient_export_status_fits",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "pending")),
                        fields=("patient",),
                        name="patient_export_pending_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("storage_key", ""), _negated=True),
                        fields=("storage_key",),
                        name="patient_export_key",
                    ),
                ],
            },
        ),
    ]

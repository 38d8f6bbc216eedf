"""Organisations that are closing, and the mails to their admins."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_organization_plan")]
    operations = [
        migrations.AddField(
            model_name="organization",
            name="archive_key",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=200),
        ),
        migrations.AddField(
            model_name="organization",
            name="closed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="organization",
            name="closing_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(
                condition=Q(closing_at__isnull=False, closed_at__isnull=True),
                fields=["closing_at"],
                name="organization_closing",
            ),
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=Q(closing_at__isnull=True) | Q(is_active=False), name="organization_closing_is_off"
            ),
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(archive_key="", closing_at__isnull=False),
                name="organization_closed_by_closing",
            ),
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=Q(archive_key="") | Q(closing_at__isnull=False), name="organization_archive_while_closing"
            ),
        ),
        migrations.CreateModel(
            name="OrganizationNotice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("closing", "is closing"),
                            ("archive", "archive is ready"),
                            ("reopened", "was reopened"),
                        ],
                        max_length=10,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=300)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(sent_at__isnull=True), fields=["due_at", "id"], name="organization_notice_due"
                    )
                ],
            },
        ),
    ]

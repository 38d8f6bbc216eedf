import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "key_prefix",
                    models.CharField(db_index=True, editable=False, max_length=16),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("pepper_version", models.CharField(editable=False, max_length=16)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "revoked_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                (
                    "revoked_reason",
                    models.CharField(blank=True, editable=False, max_length=500),
                ),
                (
                    "grace_ends_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                (
                    "allowed_cidrs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=43),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "rate_limit_per_minute",
                    models.PositiveIntegerField(blank=True, null=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(blank=True, editable=False, null=True),
                ),
                (
                    "last_used_ip",
                    models.GenericIPAddressField(blank=True, editable=False, null=True),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to="accounts.organization",
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "superseded_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="api_keys.apikey",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "indexes": [
                    models.Index(
                        fields=["organization", "-created_at"],
                        name="api_key_by_organization",
                    ),
                    models.Index(fields=["-created_at", "-id"], name="api_key_newest"),
                    models.Index(
                        fields=["-created_at", "-id"],
                        name="api_key_newest_revoked",
                        condition=models.Q(("revoked_at__isnull", False)),
                    ),
                    models.Index(
                        fields=["expires_at"],
                        name="api_key_expiring",
                        condition=models.Q(("expires_at__isnull", False), ("revoked_at__isnull", True)),
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="api_key_has_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rate_limit_per_minute__isnull", True),
                            ("rate_limit_per_minute__gte", 1),
                            _connector="OR",
                        ),
                        name="api_key_rate_limit_at_least_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revoked_at__isnull", False),
                            ("revoked_reason", ""),
                            _connector="OR",
                        ),
                        name="api_key_reason_needs_revocation",
                    ),
                ],
            },
        ),
    ]

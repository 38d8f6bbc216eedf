import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("api_keys", "0004_granted_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageBatch",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("written_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="api_keys.apikey",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                ("day", models.DateField()),
                ("requests_2xx", models.BigIntegerField(default=0)),
                ("requests_4xx", models.BigIntegerField(default=0)),
                ("requests_429", models.BigIntegerField(default=0)),
                ("requests_5xx", models.BigIntegerField(default=0)),
                ("runs_ok", models.BigIntegerField(default=0)),
                ("runs_error", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "usage of a day",
                "verbose_name_plural": "usage",
                "indexes": [
                    models.Index(fields=["key", "-day"], name="usage_by_key"),
                    models.Index(fields=["-day", "-id"], name="usage_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "day", "key"), name="usage_once", nulls_distinct=False
                    )
                ],
            },
        ),
    ]

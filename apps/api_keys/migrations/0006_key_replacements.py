import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("api_keys", "0005_usage"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KeyReplacement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("token_digest", models.BinaryField(max_length=32, null=True, unique=True)),
                ("offered_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replacements",
                        to="api_keys.apikey",
                    ),
                ),
                (
                    "new_key",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaces",
                        to="api_keys.apikey",
                    ),
                ),
                (
                    "offered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "used_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("new_key__isnull", True), ("used_at__isnull", True)),
                            models.Q(("new_key__isnull", False), ("used_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="key_replacement_used_for_a_key",
                    )
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="keynotice", name="key_notice_once"),
        migrations.AlterField(
            model_name="keynotice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("revoked", "revoked"),
                    ("replaced", "replacement offered"),
                    ("7_days", "expires within seven days"),
                    ("1_day", "expires within a day"),
                    ("expired", "expired"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="keynotice",
            name="replacement",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notice",
                to="api_keys.keyreplacement",
            ),
        ),
        migrations.AddConstraint(
            model_name="keynotice",
            constraint=models.UniqueConstraint(
                fields=("key", "kind", "replacement"), name="key_notice_once", nulls_distinct=False
            ),
        ),
    ]

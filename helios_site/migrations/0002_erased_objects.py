"""Objects of the storage that are removed after the rows that named them."""

from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("helios_site", "0001_idempotent_replies")]
    operations = [
        migrations.CreateModel(
            name="ErasedObject",
            fields=[
                ("storage_key", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["due_at"], name="erased_object_due")],
            },
        ),
    ]

"""Tries to check a document that the storage failed do not count."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0007_exports_hold_runs")]

    operations = [
        migrations.AddField(
            model_name="document",
            name="check_tries_excused",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
    ]

"""An archive says whether runs are in it, and whether what it reads was removed meanwhile. Of those that are there
already it is assumed that runs are in them."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0006_staff_groups")]

    operations = [
        migrations.AddField(
            model_name="patientexport",
            name="holds_runs",
            field=models.BooleanField(db_default=True, default=False),
        ),
        migrations.AddField(
            model_name="patientexport",
            name="is_outdated",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]

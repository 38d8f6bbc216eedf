from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("model_runs", "0005_readings_by_day")]

    operations: ClassVar = [
        migrations.AddField(model_name="modelrun", name="outline", field=models.JSONField(null=True)),
    ]

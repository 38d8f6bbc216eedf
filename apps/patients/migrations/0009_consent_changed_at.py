"""When consent was last given or withdrawn. It is not known of patients from before."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("patients", "0008_excused_checks")]

    operations: ClassVar = [
        migrations.AddField("patient", "consent_changed_at", models.DateTimeField(editable=False, null=True)),
    ]

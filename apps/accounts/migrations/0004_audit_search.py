"""Staff search the audit trail by actor, action and day."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_audit_seals")]
    operations = [
        migrations.AddIndex(
            model_name="auditevent", index=models.Index(fields=["actor_id", "-id"], name="audit_by_actor")
        ),
        migrations.AddIndex(
            model_name="auditevent", index=models.Index(fields=["action", "-id"], name="audit_by_action")
        ),
        migrations.AddIndex(
            model_name="auditevent", index=BrinIndex(fields=["at"], name="audit_by_time", autosummarize=True)
        ),
    ]

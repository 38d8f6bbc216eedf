"""Staff filter keys that never expire and keys that nobody uses; with a million keys both need an index."""

from django.db import migrations, models
from django.db.models.functions import Coalesce, TruncDate


class Migration(migrations.Migration):
    dependencies = [("api_keys", "0006_key_replacements")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="quiet_since",
            field=models.GeneratedField(
                db_persist=True,
                expression=TruncDate(Coalesce("last_used_at", "created_at")),
                output_field=models.DateField(),
            ),
        ),
        migrations.AddIndex(
            model_name="apikey",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", True), ("revoked_at__isnull", True)),
                fields=["-created_at", "-id"],
                name="api_key_newest_lasting",
            ),
        ),
        migrations.AddIndex(
            model_name="apikey",
            index=models.Index(
                condition=models.Q(("revoked_at__isnull", True)), fields=["quiet_since"], name="api_key_quiet"
            ),
        ),
    ]

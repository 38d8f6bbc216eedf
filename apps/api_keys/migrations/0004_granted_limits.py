from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_organization_plan"),
        ("api_keys", "0003_key_notices"),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="rate_limit_is_granted",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rate_limit_is_granted", False), ("rate_limit_per_minute__isnull", False), _connector="OR"
                ),
                name="api_key_only_a_limit_is_granted",
            ),
        ),
        # Until now a key's own limit counted as it stood, whoever set it: no upgrade takes it away.
        migrations.RunSQL(
            "UPDATE api_keys_apikey SET rate_limit_is_granted = true WHERE rate_limit_per_minute IS NOT NULL",
            migrations.RunSQL.noop,
        ),
    ]

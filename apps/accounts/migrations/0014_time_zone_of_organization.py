from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_last_chosen_organization"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="time_zone",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
        ),
    ]

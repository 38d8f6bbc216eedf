from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("model_runs", "0001_initial")]

    operations = [migrations.AddField(model_name="modelrun", name="safety", field=models.JSONField(null=True))]

"""Models that are trained for one installation, and the history of which organisation uses which.

What a stored run was scored with must stay known, so the database itself refuses to change either table, and to delete
a model that a run names (an activation that names it refuses by its foreign key). ALWAYS:
`session_replication_role = replica` does not switch the triggers off.
"""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION model_runs_refuse_model_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: wellness models and their activations are never changed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION model_runs_refuse_model_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM model_runs_modelrun WHERE model_version = OLD.version) THEN
        RAISE EXCEPTION 'DELETE on % is refused: runs were scored with model %', TG_TABLE_NAME, OLD.version
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER wellness_model_no_change BEFORE UPDATE ON model_runs_wellnessmodelversion
    FOR EACH ROW EXECUTE FUNCTION model_runs_refuse_model_change();
CREATE TRIGGER wellness_model_no_loss BEFORE DELETE ON model_runs_wellnessmodelversion
    FOR EACH ROW EXECUTE FUNCTION model_runs_refuse_model_loss();
CREATE TRIGGER wellness_activation_no_change BEFORE UPDATE ON model_runs_wellnessmodelactivation
    FOR EACH ROW EXECUTE FUNCTION model_runs_refuse_model_change();
ALTER TABLE model_runs_wellnessmodelversion ENABLE ALWAYS TRIGGER wellness_model_no_change;
ALTER TABLE model_runs_wellnessmodelversion ENABLE ALWAYS TRIGGER wellness_model_no_loss;
ALTER TABLE model_runs_wellnessmodelactivation ENABLE ALWAYS TRIGGER wellness_activation_no_change;
"""
BACKWARD = """
DROP TRIGGER wellness_activation_no_change ON model_runs_wellnessmodelactivation;
DROP TRIGGER wellness_model_no_loss ON model_runs_wellnessmodelversion;
DROP TRIGGER wellness_model_no_change ON model_runs_wellnessmodelversion;
DROP FUNCTION model_runs_refuse_model_loss();
DROP FUNCTION model_runs_refuse_model_change();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit_append_only"), ("model_runs", "0002_modelrun_safety")]

    operations = [
        migrations.CreateModel(
            name="WellnessModelVersion",
            fields=[
                ("version", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("content", models.TextField()),
                ("sha256", models.CharField(max_length=64)),
                ("evaluation", models.JSONField(null=True)),
                ("card", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(max_length=80)),
            ],
            options={"verbose_name": "wellness model"},
        ),
        migrations.CreateModel(
            name="WellnessModelActivation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("is_roll_back", models.BooleanField(default=False)),
                ("reason", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("created_by", models.CharField(max_length=80)),
                (
                    "before",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="model_runs.wellnessmodelactivation",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activations",
                        to="model_runs.wellnessmodelversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "wellness model activation",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "number"), name="activation_numbered_once")
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

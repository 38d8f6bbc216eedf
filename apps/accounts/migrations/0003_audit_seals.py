"""The chains of seals over the audit trail, append-only as the trail itself, and the queue of what waits for a seal."""

from __future__ import annotations

from django.db import migrations, models

FORWARD = """
CREATE TRIGGER audit_seal_no_change BEFORE UPDATE OR DELETE ON accounts_auditseal
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER audit_seal_no_truncate BEFORE TRUNCATE ON accounts_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
ALTER TABLE accounts_auditseal ENABLE ALWAYS TRIGGER audit_seal_no_change;
ALTER TABLE accounts_auditseal ENABLE ALWAYS TRIGGER audit_seal_no_truncate;

CREATE FUNCTION accounts_await_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_unsealedevent (event_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_event_await_seal AFTER INSERT ON accounts_auditevent
    FOR EACH ROW EXECUTE FUNCTION accounts_await_seal();
ALTER TABLE accounts_auditevent ENABLE ALWAYS TRIGGER audit_event_await_seal;
-- What the previous version recorded is sealed now; the trigger's lock keeps new events out until the commit.
INSERT INTO accounts_unsealedevent (event_id) SELECT id FROM accounts_auditevent;
"""
BACKWARD = """
DROP TRIGGER audit_event_await_seal ON accounts_auditevent;
DROP FUNCTION accounts_await_seal();
DROP TRIGGER audit_seal_no_truncate ON accounts_auditseal;
DROP TRIGGER audit_seal_no_change ON accounts_auditseal;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit_append_only")]
    operations = [
        migrations.CreateModel(
            name="UnsealedEvent",
            fields=[("event_id", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("organization_id", models.UUIDField(null=True)),
                ("sequence", models.BigIntegerField()),
                ("previous_hash", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organization_id", "sequence"], name="audit_seal_in_chain", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

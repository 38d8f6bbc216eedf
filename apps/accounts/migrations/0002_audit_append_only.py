"""The audit trail can only grow: the database itself refuses UPDATE, DELETE and TRUNCATE.

ALWAYS: `session_replication_role = replica` does not switch the triggers off. Two triggers, because
TRUNCATE fires once a statement and the others once a row.
"""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: rows of the audit trail are never changed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON accounts_auditevent
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON accounts_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
ALTER TABLE accounts_auditevent ENABLE ALWAYS TRIGGER audit_event_no_change;
ALTER TABLE accounts_auditevent ENABLE ALWAYS TRIGGER audit_event_no_truncate;
"""
BACKWARD = """
DROP TRIGGER audit_event_no_truncate ON accounts_auditevent;
DROP TRIGGER audit_event_no_change ON accounts_auditevent;
DROP FUNCTION accounts_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

"""Each statement that changes how many live records an organisation has adds the difference to the counts.

One trigger for a statement, not for a row: ten thousand imported rows add one.
"""

from __future__ import annotations

from django.db import migrations

KINDS = ("patient", "appointment", "note")

FUNCTION = """
CREATE FUNCTION patients_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO patients_recordcount (organization_id, kind, live)
        SELECT organization_id, TG_ARGV[0], count(*) FROM after WHERE deleted_at IS NULL GROUP BY organization_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO patients_recordcount (organization_id, kind, live)
        SELECT organization_id, TG_ARGV[0], -count(*) FROM before WHERE deleted_at IS NULL GROUP BY organization_id;
    ELSE
        INSERT INTO patients_recordcount (organization_id, kind, live)
        SELECT organization_id, TG_ARGV[0], sum(one) FROM (
            SELECT organization_id, 1 AS one FROM after WHERE deleted_at IS NULL
            UNION ALL SELECT organization_id, -1 FROM before WHERE deleted_at IS NULL
        ) AS changes GROUP BY organization_id HAVING sum(one) <> 0;
    END IF;
    RETURN NULL;
END $$;
"""
TRIGGERS = """
CREATE TRIGGER {kind}_count_insert AFTER INSERT ON patients_{kind}
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION patients_count('{kind}');
CREATE TRIGGER {kind}_count_update AFTER UPDATE ON patients_{kind}
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION patients_count('{kind}');
CREATE TRIGGER {kind}_count_delete AFTER DELETE ON patients_{kind}
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION patients_count('{kind}');
"""
NO_TRIGGERS = """
DROP TRIGGER {kind}_count_insert ON patients_{kind};
DROP TRIGGER {kind}_count_update ON patients_{kind};
DROP TRIGGER {kind}_count_delete ON patients_{kind};
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0002_documents_and_notes")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION patients_count()"),
        *[migrations.RunSQL(TRIGGERS.format(kind=kind), NO_TRIGGERS.format(kind=kind)) for kind in KINDS],
    ]

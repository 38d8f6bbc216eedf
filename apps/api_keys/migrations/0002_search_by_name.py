"""Staff search a key by any part of its name; with a million keys that needs trigrams.

`upper()` is what Django's `icontains` compares. pg_trgm is a trusted extension: the owner of the database
may create it without being a superuser.
"""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX api_key_name_search ON api_keys_apikey USING gin (upper(name) gin_trgm_ops);
"""


class Migration(migrations.Migration):
    dependencies = [("api_keys", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, "DROP INDEX api_key_name_search")]

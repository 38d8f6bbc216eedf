"""How long staff wait for the pages of the admin that list, search and show keys, in a table of a million.

    python -m helios_site.runtime.servers run -- python -m benchmarks.admin_keys [--keys N] [--calls N]

Prints, for each page, the medians of its calls in milliseconds: CPU of this process, which renders the page whole, CPU
of PostgreSQL's process that serves it, both together, and wall time, which is as long as the two on a machine that has
nothing else to do; and its statements. PostgreSQL runs no statement in parallel here, so that all its CPU is seen.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import Any

import django

LIST = "/admin/api_keys/apikey/"
ORGANIZATIONS = 10_000
# Names, scopes and ends as in a large installation: a fifth revoked, a tenth expired, a name in a hundred is rare.
FILL = """
INSERT INTO api_keys_apikey (id, organization_id, name, key_prefix, digest, pepper_version, scopes, revoked_at,
                             revoked_reason, expires_at, allowed_cidrs, created_at, last_used_at)
SELECT gen_random_uuid(), (%(organizations)s::uuid[])[1 + n %% %(most)s],
       CASE WHEN n %% 100 = 0 THEN 'Laboratory ' ELSE 'Nightly export ' END || n,
       'hlsk_' || left(translate(encode(sha256(n::text::bytea), 'base64'), '+/', 'xy'), 7),
       sha256(n::text::bytea), '', '{model_runs:read,model_runs:write}',
       CASE WHEN n %% 5 = 0 THEN now() - n * interval '1 second' END, CASE WHEN n %% 5 = 0 THEN 'leaked' ELSE '' END,
       CASE WHEN n %% 10 = 1 THEN now() - interval '1 day' WHEN n %% 10 < 6 THEN now() + interval '1 year' END,
       '{}', now() - n * interval '10 seconds', CASE WHEN n %% 3 = 0 THEN now() - n * interval '5 seconds' END
FROM generate_series(1, %(keys)s) AS n
"""


def fill(keys: int) -> None:
    from django.db import connection

    from apps.accounts.models import Organization

    made = Organization.objects.bulk_create(
        Organization(name=f"Clinic {number:05} of {'North' if number % 2 else 'South'}shire")
        for number in range(ORGANIZATIONS)
    )
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"keys": keys, "most": len(made), "organizations": [one.pk for one in made]})
        cursor.execute("VACUUM ANALYZE api_keys_apikey")
        cursor.execute("VACUUM ANALYZE accounts_organization")


def pages(keys: int) -> list[tuple[str, str, dict[str, str]]]:
    """Name, path and query of each page."""
    from apps.api_keys.models import ApiKey

    one = ApiKey.objects.order_by("created_at")[keys // 2]
    searches = {
        "search by prefix": one.key_prefix,
        "search by the beginning of a prefix": one.key_prefix[:7],
        "search by one letter of a prefix": one.key_prefix[:6],
        "search by a name": one.name,
        "search by a rare part of a name": "laboratory",
        "search by a common part of a name": "nightly",
        "search by two letters": "ni",
        "search by an organisation": "clinic 04321",
        "search by a part of many organisations": "northshire",
        "search for what is not there": "no such thing",
    }
    listed = [
        ("list", {}),
        ("list, page 20", {"p": "20"}),
        *((f"filter: {status}", {"status": status}) for status in ("active", "expired", "revoked")),
        *((f"filter: {what}", {"attention": what}) for what in ("lasting", "unused")),
        ("keys of an organisation", {"organization__id__exact": str(one.organization_id)}),
        *((name, {"q": term}) for name, term in searches.items()),
        ("search by a name, filter: revoked", {"q": "laboratory", "status": "revoked"}),
    ]
    return [
        *((name, LIST, query) for name, query in listed),
        ("a key's page", f"{LIST}{one.pk}/change/", {}),
        ("a key's history", f"{LIST}{one.pk}/history/", {}),
    ]


def database_seconds(pid: int) -> float:
    """CPU that PostgreSQL's process has had; it runs on this machine."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def measure(client: Any, path: str, query: dict[str, str], calls: int, pid: int) -> str:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    rows = []
    for _ in range(calls):
        before = time.process_time(), database_seconds(pid), time.perf_counter()
        response = client.get(path, query)
        after = time.process_time(), database_seconds(pid), time.perf_counter()
        assert response.status_code == 200, response
        ours, database, wall = ((end - start) * 1000 for end, start in zip(after, before, strict=True))
        rows.append((ours, database, ours + database, wall))
    with CaptureQueriesContext(connection) as captured:
        client.get(path, query)
    return "".join(f"{statistics.median(column):>10.1f}" for column in zip(*rows, strict=True)) + f"{len(captured):>12}"


def main() -> None:
    parser = argparse.ArgumentParser(description="How long staff wait for the admin's pages of keys.")
    parser.add_argument("--keys", type=int, default=1_000_000, help="rows in the table (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=15, help="calls of each page (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    os.environ.setdefault("HELIOS_LOG_LEVEL", "WARNING")
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from apps.accounts.models import User
    from tests.conftest import with_totp

    call_command("migrate", verbosity=0)
    fill(options.keys)
    client = Client(SERVER_NAME="localhost")
    client.force_login(with_totp(User.objects.create_superuser("staff@example.org")))
    client.get(LIST)  # templates are compiled once
    print(f"{options.keys:,} keys of {ORGANIZATIONS:,} organisations")
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    print(f"{'':<40}{'page':>10}{'database':>10}{'both':>10}{'wall':>10}{'statements':>12}")
    for name, path, query in pages(options.keys):
        print(f"{name:<40}{measure(client, path, query, options.calls, pid)}", flush=True)


if __name__ == "__main__":
    main()

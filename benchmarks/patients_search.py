"""How long a search of patients takes, among a million of a hundred tenants.

    python -m helios_site.runtime.servers run -- python -m benchmarks.patients_search [--patients N] [--calls N]

Prints how many patients each search finds in the tenant of 200,000, and in one of about 8,000, and the medians of its
calls over WSGI in milliseconds: CPU of this process, CPU of PostgreSQL's process that serves it, both together, and
wall time until the answer is there; and the same of lists without a search. PostgreSQL runs no statement in parallel
here, so that all its CPU is seen.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from typing import Any
from urllib.parse import urlencode

import django

from benchmarks.admin_keys import database_seconds
from benchmarks.api import Caller, statements, without_log

PATH = "/ext-api/v1/patients"
SEARCHES: dict[str, dict[str, str]] = {
    "no search, page 1": {},
    "no search, page 1,000": {"page": "1000"},
    "a rare family name": {"search": "xylander"},
    "one patient's name": {"search": "Siân Sánchez 4563"},
    "a common given name": {"search": "maria"},
    "a part in many names": {"search": "ová"},
    "with accents": {"search": "Ångström"},
    "without its accents": {"search": "NGUYEN MULLER"},
    "one letter": {"search": "n"},
    "two letters": {"search": "Zo"},
    "an external id": {"search": "EHR-4563"},
    "no hit": {"search": "nobody has this"},
    "two letters, no hit": {"search": "qq"},
    "a common given name, page 50": {"search": "maria", "page": "50"},
    "a common given name, by name": {"search": "maria", "sort": "name"},
    "one letter, by name": {"search": "n", "sort": "name"},
}


def measure(call: Caller, calls: int, pid: int) -> str:
    rows = []
    for _ in range(calls):
        before = time.process_time(), database_seconds(pid)
        wall = call.seconds()
        after = time.process_time(), database_seconds(pid)
        ours, database = (end - start for end, start in zip(after, before, strict=True))
        rows.append((ours, database, ours + database, wall))
    return "".join(f"{statistics.median(column) * 1000:>10.1f}" for column in zip(*rows, strict=True))


def hits(answer: dict[str, Any], limit: int = 20) -> str:
    pages = answer["meta"]["total_pages"]
    return f"{len(answer['data'])}" if pages < 2 else f"to {pages * limit:,}"


def main() -> None:
    parser = argparse.ArgumentParser(description="How long searches of patients take.")
    parser.add_argument("--patients", type=int, default=1_000_000, help="of 100 tenants (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=25, help="calls of each search (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.db import connection

    from benchmarks.patients_data import fill

    call_command("migrate", verbosity=0)
    application = get_wsgi_application()
    with without_log():
        tenants = fill(options.patients)
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        for name, key in (("largest", tenants.key_of_largest), ("ordinary", tenants.key_of_ordinary)):
            print(f"{f'{name} tenant, ms':<32}{'hits':>10}{'page':>10}{'database':>10}{'both':>10}{'wall':>10}")
            for what, query in SEARCHES.items():
                if name == "ordinary" and query.get("page") == "1000":
                    continue  # it has no such page
                call = Caller(application, "GET", f"{PATH}?{urlencode(query)}", key)
                found = hits(json.loads(call()))
                print(f"{what:<32}{found:>10}{measure(call, options.calls, pid)}   {statements(call)}", flush=True)


if __name__ == "__main__":
    main()

"""What a list of 20 among a million patients costs, beside the same in other frameworks.

    python -m helios_site.runtime.servers run -- python -m benchmarks.patients [--patients N] [--calls N]

Every call is made within this process, over WSGI or ASGI, and its CPU counted with that of its threads; PostgreSQL's is
the same for all, as they send the same statements. `benchmarks.peers` says what each does. Rounds of all alternate, so
that other work on the machine meets all; a ratio is the median of the rounds' ratios. Printed as well: what page 1,000
of the largest tenant costs beside page 1, in wall time, as the difference is PostgreSQL's; and the statements of a
list and of a create.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
from typing import Any

import django

from benchmarks.api import Caller, cpu_of, statements, without_log

ROUNDS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description="What lists of patients cost.")
    parser.add_argument("--patients", type=int, default=1_000_000, help="of 100 tenants (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=30, help="calls a round (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from benchmarks import peers
    from benchmarks.patients_data import fill

    peers.install_in_django()
    call_command("migrate", verbosity=0)
    application = get_wsgi_application()
    loop = asyncio.new_event_loop()
    with without_log():
        tenants = fill(options.patients)
        for name, key in (("ordinary", tenants.key_of_ordinary), ("largest", tenants.key_of_largest)):
            print(f"{name + ' tenant, list of 20':<34}{'CPU ms':>10}{'API ÷ it':>10}")
            callers: dict[str, Any] = {
                "API": Caller(application, "GET", peers.LIST, key),
                "bare Django view": Caller(application, "GET", peers.BARE, key),
                "django-ninja": Caller(application, "GET", peers.NINJA, key),
                "FastAPI + SQLAlchemy": peers.AsgiCaller(peers.fastapi_with_sqlalchemy(), loop, key),
                "FastAPI + asyncpg": peers.AsgiCaller(peers.fastapi_with_asyncpg(loop), loop, key),
            }
            compare(callers, options.calls)
            print(f"{'statements of the list':<34}{statements(callers['API']):>30}", flush=True)
        pages(application, tenants.key_of_largest, options.patients)
        body = json.dumps({"name": "Maria Santos", "external_id": "benchmark"}).encode()
        create = Caller(application, "POST", peers.LIST, tenants.key_of_ordinary, body, status="201")
        print(f"{'statements of a create':<34}{statements(create):>30}")


def compare(callers: dict[str, Any], calls: int) -> None:
    """Print a row for each; the first is ours. All must answer the same."""
    answers = {name: json.loads(call()) for name, call in callers.items()}
    ours = next(iter(callers))
    assert all(answer == answers[ours] for answer in answers.values()), answers
    costs: dict[str, list[float]] = {name: [] for name in callers}
    for number in range(ROUNDS):
        for name in list(callers) if number % 2 else reversed(callers):
            costs[name].append(cpu_of(callers[name], calls))
    for name, cost in costs.items():
        ratio = statistics.median(one / other for one, other in zip(costs[ours], cost, strict=True))
        print(f"{name:<34}{min(cost):>10.2f}{ratio:>10.2f}", flush=True)


def pages(application: Any, key: str, patients: int) -> None:
    """Wall time of page 1 and of a far page of the largest tenant, and their ratio."""
    from benchmarks.peers import LIST

    far = min(1000, patients // 5 // 20)
    first, last = (Caller(application, "GET", f"{LIST}?page={number}", key) for number in (1, far))
    pairs = [(first.seconds() * 1000, last.seconds() * 1000) for _ in range(100)]
    near, away = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(other / one for one, other in pairs)
    print(f"largest tenant, wall ms: page 1 {near:.1f}, page {far:,} {away:.1f}, ratio {ratio:.1f}", flush=True)


if __name__ == "__main__":
    main()

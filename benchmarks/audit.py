"""What the seals of the audit trail cost those who write it.

    python -m helios_site.runtime.servers run -- python -m benchmarks.audit [--appends N]

Eight threads append events, one a transaction, while no sealer runs and then while one does: appends a second, the
longest wait of a writer, how far behind the sealer was at the end, and the rows that it seals a second when it has
nothing but sealing to do.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from uuid import UUID

import django

THREADS = 8


def append(organization_id: UUID, appends: int) -> tuple[float, float]:
    """Appends a second of eight threads together, and the longest single append in milliseconds."""
    from django.db import connections

    from apps.accounts import audit

    longest: list[float] = []

    def write() -> None:
        slowest = 0.0
        for _ in range(appends // THREADS):
            began = time.perf_counter()
            audit.record("benchmark.appended", actor=audit.SYSTEM, organization_id=organization_id)
            slowest = max(slowest, time.perf_counter() - began)
        longest.append(slowest)
        connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(THREADS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return appends / (time.perf_counter() - began), max(longest) * 1000


def seal_until_told() -> None:
    """A process of its own, as in an installation; ends when its standard input does."""
    from apps.accounts.sealing import start_sealer

    start_sealer()
    sys.stdin.read()


def wait_for_the_sealer() -> float:
    """Until every event is sealed; the seconds that it took."""
    from apps.accounts.models import UnsealedEvent

    began = time.perf_counter()
    while UnsealedEvent.objects.exists():
        time.sleep(0.01)
    return time.perf_counter() - began


def measure(appends: int) -> None:
    from django.core.management import call_command

    from apps.accounts.models import Organization, UnsealedEvent
    from apps.accounts.sealing import seal_waiting

    call_command("migrate", verbosity=0)
    organization = Organization.objects.get_or_create(name="Benchmark")[0]
    seal_waiting()
    append(organization.pk, 800)  # warms connections and tables
    rates: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(3):
        rate, slowest = append(organization.pk, appends)
        rates["without"].append(rate)
        waiting = UnsealedEvent.objects.count()
        began = time.perf_counter()
        seal_waiting()
        print(
            f"without sealer: {rate:.0f} appends/s, longest {slowest:.0f} ms; then sealed {waiting} at"
            f" {waiting / (time.perf_counter() - began):.0f}/s"
        )
        with subprocess.Popen([sys.executable, "-m", "benchmarks.audit", "--seal"], stdin=subprocess.PIPE) as process:
            append(organization.pk, THREADS)
            wait_for_the_sealer()  # which has to load Django
            rate, slowest = append(organization.pk, appends)
            rates["with"].append(rate)
            behind = UnsealedEvent.objects.count()
            lag = wait_for_the_sealer()
            assert process.stdin is not None
            process.stdin.close()
        print(
            f"with sealer:    {rate:.0f} appends/s, longest {slowest:.0f} ms; {behind} unsealed at the end,"
            f" all sealed {lag:.2f} s later"
        )
    print(f"best with ÷ best without: {max(rates['with']) / max(rates['without']):.2f}")
    call_command("verify_audit")


def main() -> None:
    parser = argparse.ArgumentParser(description="What the seals of the audit trail cost.")
    parser.add_argument("--appends", type=int, default=10_000, help="of each round (default: %(default)s)")
    parser.add_argument("--seal", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    django.setup()
    if options.seal:
        seal_until_told()
    else:
        measure(options.appends)


if __name__ == "__main__":
    main()

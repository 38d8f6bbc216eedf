"""What the check of an API key costs, by itself: form, digests, the query, and every rule that follows.

    python -m helios_site.runtime.servers run -- python -m benchmarks.key_check [--keys N] [--calls N]

Prints CPU of this process and wall time for one check, in microseconds, for a known, a revoked, an unknown and a
malformed key, and, as the floor of this machine, for `SELECT 1` through Django. Each figure is the least of many short
rounds, which other work on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import django

ROUNDS = 40


def fill(organization_id: UUID, keys: int) -> None:
    """Keys that nobody holds, to make the table as long as in a large installation."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO api_keys_apikey (id, organization_id, name, key_prefix, digest, pepper_version, scopes,
                                         revoked_reason, allowed_cidrs, created_at)
            SELECT gen_random_uuid(), %s, 'key ' || n, 'hlsk_' || left(md5(n::text), 7), sha256(n::text::bytea), '',
                   '{*}', '', '{}', now() - n * interval '1 second'
            FROM generate_series(1, %s) AS n
            """,
            [organization_id, keys],
        )
        cursor.execute("ANALYZE api_keys_apikey")


def measure(check: Callable[[], object], calls: int) -> tuple[float, float]:
    """Microseconds of CPU and of wall time of one call."""
    cpu, wall = [], []
    for _ in range(ROUNDS):
        cpu_started, wall_started = time.process_time(), time.perf_counter()
        for _ in range(calls):
            check()
        cpu.append(time.process_time() - cpu_started)
        wall.append(time.perf_counter() - wall_started)
    return min(cpu) / calls * 1e6, min(wall) / calls * 1e6


def report(name: str, check: Callable[[], object], calls: int) -> None:
    cpu, wall = measure(check, calls)
    print(f"{name:<14}{cpu:>8.0f}{wall:>10.0f}")


def select_one() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def main() -> None:
    parser = argparse.ArgumentParser(description="What the check of an API key costs.")
    parser.add_argument("--keys", type=int, default=10_000, help="rows in the table (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=100, help="calls a round (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    os.environ.setdefault("HELIOS_LOG_LEVEL", "WARNING")
    django.setup()

    from django.conf import settings
    from django.core.management import call_command
    from django.test import RequestFactory
    from rest_framework.exceptions import APIException
    from rest_framework.request import Request

    from apps.accounts.audit import SYSTEM
    from apps.accounts.services import find_or_create_organization
    from apps.api_keys import authentication, services, tokens
    from helios_site.api import ratelimit

    call_command("migrate", verbosity=0)
    organization, _ = find_or_create_organization(actor=SYSTEM, name="Benchmark")
    others, _ = find_or_create_organization(actor=SYSTEM, name="All others")
    fill(others.pk, options.keys)
    _, known = services.issue_key(actor=SYSTEM, organization=organization, name="known", scopes=["model_runs:read"])
    gone, revoked = services.issue_key(actor=SYSTEM, organization=organization, name="revoked", scopes=["*"])
    services.revoke_key(actor=SYSTEM, key_id=gone.pk, reason="benchmark")
    # Refused keys are counted in Redis as well; what is measured here is the check.
    decision = ratelimit.Decision(True, settings.RATE_LIMIT_FAILED_AUTH.limit, 1, 0, 1)
    authentication.ratelimit.charge = lambda bucket, rate: decision  # type: ignore[attr-defined]

    print(f"{options.keys:,} keys in the table, {len(settings.API_KEY_PEPPERS)} pepper(s)")
    print(f"{'':<14}{'CPU µs':>8}{'wall µs':>10}")
    report("SELECT 1", select_one, options.calls)
    for name, raw_key in [
        ("known", known),
        ("revoked", revoked),
        ("unknown", tokens.generate()),
        ("malformed", known[:-1]),
    ]:
        request = Request(RequestFactory().get("/v1/account", headers={"x-api-key": raw_key}))

        def check(request: Request = request) -> None:
            with suppress(APIException):
                authentication.ApiKeyAuthentication().authenticate(request)
            request._request.__dict__.pop("after_response", None)

        report(f"{name} key", check, options.calls)


if __name__ == "__main__":
    main()

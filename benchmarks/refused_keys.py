"""Whether the time of a refusal tells why a key was refused.

    python -m helios_site.runtime.servers run -- python -m benchmarks.refused_keys [--calls N]

Calls the API with unknown, revoked and expired keys, and with a key of another organisation that asks for a run which
is not its own or which nobody has, in random order. Prints for each kind the time until the answer is there, as
quantiles in microseconds, the share of pairs in which it took longer than the first of its status did (0.5: alike), and
its statements. What is done after the answer, such as the audit row of a refusal, is not counted: no caller sees it.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
from uuid import uuid4

import django

from benchmarks.api import LIST, Caller, first_run, new_customer, without_log

QUANTILES = (10, 50, 90, 99)


def kinds(application: object) -> dict[str, Caller]:
    """What is asked, each answered as if it were not there."""
    from django.utils import timezone

    from apps.accounts.audit import SYSTEM
    from apps.api_keys import services, tokens
    from apps.api_keys.models import ApiKey
    from apps.model_runs.models import ModelRun

    organization, _ = new_customer("Owner")
    first_run(organization, finished=False)
    run = ModelRun.objects.get()
    _, foreign = new_customer("Foreigner")

    def issued() -> tuple[ApiKey, str]:
        return services.issue_key(actor=SYSTEM, organization=organization, name="refused", scopes=["*"])

    revoked, revoked_key = issued()
    services.revoke_key(actor=SYSTEM, key_id=revoked.pk, reason="benchmark")
    expired, expired_key = issued()
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now())

    def asked(key: str, run_id: object, status: str) -> Caller:
        return Caller(application, "GET", f"{LIST}/{run_id}", key, status=status)

    return {
        "unknown key": asked(tokens.generate(), run.pk, "401"),
        "revoked key": asked(revoked_key, run.pk, "401"),
        "expired key": asked(expired_key, run.pk, "401"),
        "foreign key, a run": asked(foreign, run.pk, "404"),
        "foreign key, no run": asked(foreign, uuid4(), "404"),
    }


def longer(ones: list[float], others: list[float]) -> float:
    """The share of pairs in which the one took longer than the other."""
    pairs = list(zip(random.sample(ones, len(ones)), others, strict=True))
    return sum(one > other for one, other in pairs) / len(pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether the time of a refusal tells why.")
    parser.add_argument("--calls", type=int, default=2000, help="calls of each kind (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    os.environ["HELIOS_RATE_LIMIT_FAILED_AUTH"] = "1000000/60"
    os.environ["HELIOS_POLL_LIMIT"] = "1000000/60"
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from benchmarks.api import statements

    call_command("migrate", verbosity=0)
    with without_log():
        asked = kinds(get_wsgi_application())
        taken: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(options.calls):
            for name in random.sample(list(asked), len(asked)):
                taken[name].append(asked[name].seconds() * 1e6)
        first = {"401": "unknown key", "404": "foreign key, no run"}
        print(f"{'µs until the answer':<24}" + "".join(f"{f'p{each}':>8}" for each in QUANTILES) + f"{'unlike':>9}")
        for name, times in taken.items():
            cuts = statistics.quantiles(times, n=100)
            unlike = longer(times, taken[first[asked[name].status]])
            row = "".join(f"{cuts[each - 1]:>8.0f}" for each in QUANTILES)
            print(f"{name:<24}{row}{unlike:>9.2f}   {statements(asked[name])}")


if __name__ == "__main__":
    main()

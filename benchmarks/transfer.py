"""How many rows are imported and exported a second on one core, and how much memory a large file takes.

    python -m helios_site.runtime.servers run -- python -m benchmarks.transfer [--patients N]
    python -m benchmarks.transfer --memory

An export of made-up patients, each with all fields, an appointment, and for one in ten a note with its transcript, is
imported into an empty organisation, once more (all of it is there already), once more with changes, and exported again.
Both go over WSGI with a key, so that reading, checks and replies count. CPU is that of this process and of PostgreSQL's
process that serves it, apart and together: what one core needs for both. `--memory` starts a whole Helios and sends it
nearly the largest body over HTTP: the rise of the web process's high-water mark (VmHWM) above what it held before.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import django

from benchmarks.admin_keys import database_seconds
from benchmarks.api import Caller, new_customer, without_log
from benchmarks.memory import forget_peak, kilobytes, peak_memory
from tests.chaos.installation import children, installation

IMPORT, EXPORT = "/ext-api/v1/import", "/ext-api/v1/export"
MEDIA_TYPE = "application/x-ndjson"


def lines(patients: int, pronouns: str) -> dict[str, list[dict[str, Any]]]:
    """The lines of an export by their type."""
    made: dict[str, list[dict[str, Any]]] = {"patient": [], "appointment": [], "note": []}
    for number in range(patients):
        moment = f"2026-03-{1 + number % 28:02}T{number % 24:02}:15:30.123Z"
        one = {"id": str(10**17 + number), "created_at": moment, "updated_at": moment}
        history = {"medical_history": "asthma since childhood", "family_history": None}
        made["patient"].append(
            one
            | {
                "name": f"María Santos {number}", "pronouns": pronouns, "notes": "allergic to penicillin " * 4,
                "consent": number % 2 == 0, "external_id": f"PARTNER-{number}", "first_name": "María",
                "last_name": f"Santos {number}", "date_of_birth": "1984-02-29", "gender": "female",
                "email": f"maria.{number}@example.org", "phone": "+44 20 7946 0000", "mrn": f"MRN{number:08}",
                "client_history": history,
            }
        )  # fmt: skip
        made["appointment"].append(
            one
            | {
                "id": f"00000000-0000-4000-8000-{number:012}", "patient_id": one["id"], "appointment_type": "Follow-up",
                "visit_type": "Telehealth", "start_at": moment, "duration_minutes": 50, "notes": "",
                "repeat_rule": None, "status": "SCHEDULED", "external_id": f"VISIT-{number}",
            }
        )  # fmt: skip
        if number % 10 == 0:
            transcript = {"text": "well, the week was long, and then " * 100, "session_date": moment[:10]}
            made["note"].append(
                one
                | {
                    "id": f"00000000-0000-4000-9000-{number:012}", "patient_id": one["id"], "content": "sleeps " * 50,
                    "session_id": f"00000000-0000-4000-a000-{number:012}", "transcript": transcript,
                }
            )  # fmt: skip
    return made


def file_of(made: dict[str, list[dict[str, Any]]]) -> bytes:
    def all_lines() -> Iterator[bytes]:
        for kind, rows in made.items():
            for data in rows:
                yield json.dumps({"type": kind, "data": data}, ensure_ascii=False).encode() + b"\n"

    return b"".join(all_lines())


def measure(name: str, caller: Caller, rows: int, pid: int) -> bytes:
    """Print what one call costs; its reply."""
    before = time.process_time(), database_seconds(pid)
    content = caller()
    ours, database = time.process_time() - before[0], database_seconds(pid) - before[1]
    rates = "".join(f"{rows / seconds:>12,.0f}" for seconds in (ours + database, ours, database))
    print(f"{name:<46}{rates}", flush=True)
    return content


def calls_with(body: bytes) -> list[tuple[str, str, bytes]]:
    return [("POST", IMPORT, body), ("POST", f"{IMPORT}?atomic=true", body), ("GET", EXPORT, b"")]


def show_memory() -> None:
    body = file_of(lines(34_000, "she/her"))
    small = file_of(lines(300, "they/them"))
    with installation({}, workers=1) as helios:
        headers = {"x-api-key": helios.issue_key("Benchmark"), "content-type": MEDIA_TYPE}
        (web,) = children(helios.pid("web"))
        address = urlsplit(helios.url)
        for sent in (small, body):
            for method, path, content in calls_with(sent):
                forget_peak(web)
                before, began, size = kilobytes(f"/proc/{web}/status")["VmRSS"] / 1024, time.perf_counter(), 0
                connection = HTTPConnection(str(address.hostname), address.port, timeout=600)
                connection.request(method, path, content, headers)
                response = connection.getresponse()
                assert response.status == 200, response.read()
                while piece := response.read(1 << 20):
                    size += len(piece)
                connection.close()
                print(
                    f"{method} {path}: {len(content) / 1e6:.1f} MB in, {size / 1e6:.1f} MB out,"
                    f" {time.perf_counter() - began:.1f} s, {before:.0f} MB rises by {peak_memory(web) - before:.1f} MB"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description="How many rows are imported a second.")
    parser.add_argument("--patients", type=int, default=20_000, help="in the file (default: %(default)s)")
    parser.add_argument("--memory", action="store_true", help="show what a large file takes instead")
    options = parser.parse_args()
    if options.memory:
        show_memory()
    else:
        show_rates(options.patients)


def show_rates(count_of_patients: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.db import connection

    call_command("migrate", verbosity=0)
    application = get_wsgi_application()
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    print(f"{'rows a second of CPU':<46}{'both':>12}{'Python':>12}{'PostgreSQL':>12}")
    with without_log():
        made = lines(count_of_patients, "she/her")
        changed = made | {"patient": lines(count_of_patients, "they/them")["patient"]}
        patients, whole = file_of({"patient": made["patient"]}), file_of(made)
        count = sum(map(len, made.values()))
        _, key = new_customer("patients alone")
        _, key_of_all = new_customer("all")
        for name, sender, query, body, rows in (
            ("import patients", key, "", patients, count_of_patients),
            ("import patients, appointments and notes", key_of_all, "", whole, count),
            ("the same again, which skips all", key_of_all, "", whole, count),
            ("the same, dry run", key_of_all, "?dry_run=true", whole, count),
            ("the same, which changes each patient", key_of_all, "?mode=update", file_of(changed), count),
            ("patients, atomic", new_customer("atomic")[1], "?atomic=true", patients, count_of_patients),
        ):
            sent = Caller(application, "POST", IMPORT + query, sender, body, content_type=MEDIA_TYPE)
            replies = measure(f"{name}, {len(body) / 1e6:.0f} MB", sent, rows, pid)
            told = Counter(json.loads(line)["status"] for line in replies.splitlines())
            assert not told["error"], told
        exported = measure("export of all", Caller(application, "GET", EXPORT, key_of_all), count, pid)
        assert exported.count(b"\n") == count + 1


if __name__ == "__main__":
    main()

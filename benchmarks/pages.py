"""What the pages that people see cost in an organisation with 100,000 runs, patients, appointments and audit events.

    python -m helios_site.runtime.servers run -- python -m benchmarks.pages [--rows 100000] [--calls 20]

A signed-in admin opens each page within this process. Printed: the median wall time until the whole answer is there,
PostgreSQL's included, this process's CPU, the statements, and the bytes of the page alone. The runs are copies of one
with a real result; one patient has thirty of them on thirty days.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any

import django

from benchmarks.api import copy_up_to, first_run, new_customer, without_log

LIMIT_MS = 100
_PATIENTS = """
INSERT INTO patients_patient (id, organization_id, created_at, updated_at, version, name, search_name, consent)
SELECT 10^15::bigint + n, %(organization)s, at, at, 1, 'Person ' || n, 'person ' || n, n %% 2 = 0
FROM (SELECT n, date_trunc('milliseconds', now() - n * interval '1 minute') AS at
      FROM generate_series(1, %(rows)s) AS n)
"""
# A thousand patients come every week for a year, the others once.
_APPOINTMENTS = """
INSERT INTO patients_appointment (id, organization_id, patient_id, deleted_with_patient, created_at, updated_at,
                                  version, appointment_type, visit_type, start_at, duration_minutes, notes, status,
                                  repeat_rule)
SELECT gen_random_uuid(), %(organization)s, 10^15::bigint + n, false, at, at, 1, 'Session', 'Telehealth',
       at + n %% 730 * interval '1 day' - interval '1 year', 50, '', 'SCHEDULED',
       CASE WHEN n <= 1000 THEN jsonb_build_object('frequency', 'WEEKLY', 'interval', 1, 'end_date', NULL) END
FROM (SELECT n, date_trunc('minute', now()) AS at FROM generate_series(1, %(rows)s) AS n)
"""
_THEIRS = """
UPDATE model_runs_modelrun SET patient_id = 10^15::bigint + 2, user_label = 'person-2',
       created_at = now() - n * interval '1 day', completed_at = now() - n * interval '1 day'
FROM (SELECT id AS found, row_number() OVER (ORDER BY created_at DESC) AS n FROM model_runs_modelrun
      WHERE organization_id = %(organization)s ORDER BY created_at DESC LIMIT 30) AS newest
WHERE id = found
"""
_EVENTS = """
INSERT INTO accounts_auditevent (at, actor_type, actor_id, action, organization_id, object_type, object_id, outcome,
                                 reason, method, path, request_id)
SELECT now() - n * interval '1 second', actor_type, actor_id, action, organization_id, object_type, object_id, outcome,
       reason, method, path, request_id
FROM (SELECT * FROM accounts_auditevent WHERE organization_id = %(organization)s LIMIT 1) AS one,
     generate_series(1, %(rows)s) AS n
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="What the pages cost.")
    parser.add_argument("--rows", type=int, default=100_000, help="of each (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=20, help="calls a page (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    django.setup()
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    with without_log():
        client = Client(headers={"host": "127.0.0.1"})
        paths = _fill(client, options.rows)
        print(f"{'page':<52}{'wall ms':>9}{'CPU ms':>9}{'statements':>12}{'bytes':>10}")
        slow = [path for path in paths if _measure(client, path, options.calls) > LIMIT_MS]
    print(f"Over {LIMIT_MS} ms: {', '.join(slow) or 'none'}.")


def _fill(client: Any, rows: int) -> list[str]:
    """The pages to open, after filling the empty tables and signing in."""
    from django.db import connection

    from apps.accounts.models import Membership, User
    from apps.api_keys.models import ApiKey
    from apps.model_runs.models import ModelRun

    organization, _ = new_customer("benchmark")
    first_run(organization, finished=True)
    outline = ModelRun.objects.get().outline
    ModelRun.objects.update(outline=None)  # no list reads it, and 100,000 of them would fill a disk
    copy_up_to(rows, organization)
    words = {"organization": organization.id, "rows": rows}
    with connection.cursor() as cursor:
        for statement in (_PATIENTS, _APPOINTMENTS, _EVENTS, _THEIRS):
            cursor.execute(statement, words)
        for table in ("patients_patient", "patients_appointment", "accounts_auditevent", "model_runs_modelrun"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    user = User.objects.create_user("admin@example.org")
    Membership.objects.create(organization=organization, user=user, role=Membership.Role.ADMIN)
    client.force_login(user)
    run = ModelRun.objects.filter(organization=organization, patient_id__isnull=False).latest("created_at")
    ModelRun.objects.filter(id=run.id).update(outline=outline)
    key = ApiKey.objects.get(organization=organization)
    patient = f"/patients/{run.patient_id}"
    return [
        "/", "/runs", "/runs?status=COMPLETE_OK&userLabel=person-2", "/runs?status=COMPLETE_ERROR", f"/runs/{run.id}",
        "/checks/new", "/patients", "/patients?search=person+77", "/appointments", "/appointments?span=week",
        patient, f"{patient}/appointments", f"{patient}/documents", f"{patient}/notes",
        "/keys", f"/keys/{key.id}", "/webhooks", "/usage", "/audit",
        "/audit?action=model_run.created", "/organization", "/organization/settings", "/docs",
    ]  # fmt: skip


def _measure(client: Any, path: str, calls: int) -> float:
    """Print a row; the median wall time in milliseconds."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    asked = len(captured)  # the next request forgets them
    assert response.status_code == 200, (path, response.status_code)
    wall, started = [], time.process_time()
    for _ in range(calls):
        began = time.perf_counter()
        client.get(path)
        wall.append((time.perf_counter() - began) * 1000)
    cpu = (time.process_time() - started) / calls * 1000
    middle = statistics.median(wall)
    print(f"{path[:50]:<52}{middle:>9.1f}{cpu:>9.1f}{asked:>12}{len(response.content):>10,}", flush=True)
    return middle


if __name__ == "__main__":
    main()

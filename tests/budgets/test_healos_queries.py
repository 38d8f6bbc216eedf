"""How many statements each call about patients and appointments may cost, whatever the organisation holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Organization
from tests.budgets.test_helios_queries import AUDIT, KEY, statements
from tests.contract.healos import patients
from tests.contract.healos.appointments import APPOINTMENTS, START, book
from tests.contract.healos.patients import PATIENTS

pytestmark = pytest.mark.django_db
PATIENT, APPOINTMENT = "SELECT patients_patient", "SELECT patients_appointment"
COUNT = "SELECT patients_recordcount"
TABLES = {PATIENTS: PATIENT, APPOINTMENTS: APPOINTMENT}

_PATIENTS = """
INSERT INTO patients_patient (id, organization_id, name, search_name, consent, created_at, updated_at, version)
SELECT n, %s, 'Person ' || n, 'person ' || n, false, now() - n * interval '1 second', now(), 1
FROM generate_series(%s, %s) AS n
"""
_APPOINTMENTS = """
INSERT INTO patients_appointment (
    id, organization_id, patient_id, deleted_with_patient, appointment_type, visit_type, start_at, duration_minutes,
    notes, status, repeat_rule, created_at, updated_at, version)
SELECT gen_random_uuid(), organization_id, id, false, 'Other', 'Other', '2026-04-15Z'::timestamptz + id * interval
    '1 minute', 50, '', 'SCHEDULED', CASE WHEN id %% 10 = 0 THEN '{"frequency": "WEEKLY", "interval": 1,
    "end_date": null}'::jsonb END, now(), now(), 1
FROM patients_patient WHERE organization_id = %s
"""


def fill(organization: Organization, rows: int, *, first: int = 1) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PATIENTS, [organization.id, first, first + rows - 1])
        cursor.execute(_APPOINTMENTS, [organization.id])
        cursor.execute("ANALYZE patients_patient, patients_appointment, patients_recordcount")


@pytest.mark.parametrize("rows", [10, 5_000])
@pytest.mark.parametrize("path", [PATIENTS, APPOINTMENTS])
def test_a_list_costs_two_reads_and_one_audit_row(
    api: Client, organization: Organization, path: str, rows: int
) -> None:
    fill(organization, rows)
    for query in ("", "?page=2&limit=5", "?sort=-created_at&limit=100"):
        assert statements(api, "GET", path + query) == [KEY, COUNT, TABLES[path], AUDIT], query
    for query in ("?external_id=x", "?page=999"):  # an empty page is not read
        assert len(statements(api, "GET", path + query)) == 3, query
    narrowed = "?search=person" if path == PATIENTS else "?start_date=2026-04-15&status=SCHEDULED"
    # Of a search the external id is looked up before.
    reads = [TABLES[path]] * (3 if path == PATIENTS else 2)
    for more in ("", "&page=2&limit=5"):
        assert statements(api, "GET", path + narrowed + more) == [KEY, *reads, AUDIT]


def test_occurrences_cost_two_reads_of_which_the_second_is_of_the_page(api: Client, organization: Organization) -> None:
    fill(organization, 1_000)
    query = "?expand=true&start_date=2026-04-15&end_date=2026-05-15"
    found = statements(api, "GET", APPOINTMENTS + query)
    assert [KEY, *found[-2:]] == [KEY, APPOINTMENT, AUDIT]
    assert len(found) <= 4
    assert api.get(f"{APPOINTMENTS}{query}&limit=100").json()["meta"]["total_pages"] == 14


def test_a_read_costs_one_and_its_audit_row(api: Client) -> None:
    made = book(api)
    assert statements(api, "GET", f"{PATIENTS}/{made['patient_id']}") == [KEY, PATIENT, AUDIT]
    assert statements(api, "GET", f"{APPOINTMENTS}/{made['id']}") == [KEY, APPOINTMENT, AUDIT]
    assert statements(api, "GET", f"{APPOINTMENTS}/abc") == [KEY]


def test_a_create_costs_at_most_six_statements(api: Client) -> None:
    patient_id = patients.create(api)["id"]

    def post(path: str, body: dict[str, Any]) -> list[str]:
        return statements(api, "POST", path, json.dumps(body))

    assert post(PATIENTS, {"name": "Ana", "external_id": "E"}) == [KEY, "INSERT patients_patient", AUDIT]
    body = {"patient_id": patient_id, "start_at": START, "external_id": "E"}
    assert post(APPOINTMENTS, body) == [KEY, PATIENT, "INSERT patients_appointment", AUDIT]
    assert post(APPOINTMENTS, body | {"patient_id": "1"}) == [KEY, PATIENT, "ROLLBACK None"]
    assert post(APPOINTMENTS, body | {"status": "DONE"}) == post(PATIENTS, {"name": ""}) == [KEY]


def test_a_change_and_a_deletion_cost_what_they_touch(api: Client) -> None:
    made = book(api)
    one, patient = f"{APPOINTMENTS}/{made['id']}", f"{PATIENTS}/{made['patient_id']}"
    update = "UPDATE patients_appointment"
    notes = json.dumps({"notes": "x"})
    # It is read for `If-Match`, read again under a lock, and its patient's name is shown.
    assert statements(api, "PATCH", one, notes) == [KEY, APPOINTMENT, APPOINTMENT, update, AUDIT, PATIENT]
    assert statements(api, "PATCH", patient, notes) == [KEY, PATIENT, PATIENT, "UPDATE patients_patient", AUDIT]
    assert statements(api, "DELETE", one) == [KEY, APPOINTMENT, APPOINTMENT, update, AUDIT]
    assert len(statements(api, "DELETE", patient)) == 8


def test_a_page_of_appointments_is_read_in_the_order_of_an_index(
    api: Client, organization: Organization, other_organization: Organization
) -> None:
    fill(organization, 5_000)
    fill(other_organization, 5_000, first=10_000)
    for query in ("", "?start_date=2026-04-16", "?sort=-start_at"):
        with CaptureQueriesContext(connection) as captured:
            api.get(APPOINTMENTS + query)
        page = [found["sql"] for found in captured.captured_queries if "ORDER BY" in found["sql"]][-1]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {page}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "appointment_by_start" in plan, plan

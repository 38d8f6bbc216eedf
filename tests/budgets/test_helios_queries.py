"""How many statements each Helios call may cost, whatever the organisation holds."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Organization
from apps.model_runs import selectors, services
from apps.model_runs.serializers import run_fields
from helios_site.api.families.helios.query import page, read_cursor
from tests.contract.helios.calls import RUNS, UNKNOWN_ID, create, minimal_body, post
from tests.contract.helios.conftest import OK, finish, start

_INSERT_RUNS = """
INSERT INTO model_runs_modelrun (
    id, organization_id, user_label, birth_sex, language, tags, delete_data, data_to_delete, status, created_at,
    upload_expires_at, enqueue_count, attempt, recording_key, recording_sha256, error_code, error_reason, warnings,
    transcript, model_version)
SELECT gen_random_uuid(), %s, 'person ' || n %% 100, 'MALE', 'en-GB', '[]', false, '{}', 'CREATED',
    now() - n * interval '1 second', now(), 0, 0, '', '', '', '', '{}', '', ''
FROM generate_series(1, %s) AS n
"""


_SHAPE = re.compile(r'\s*(\w+)(?:.*?(?:FROM|INTO|(?<=UPDATE))\s+"?(\w+))?', re.DOTALL)
_TRANSACTION = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")


def fill(organization: Organization, rows: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_RUNS, [organization.id, rows])
        cursor.execute("ANALYZE model_runs_modelrun")


def statements(client: Client, method: str, path: str, body: Any = None) -> list[str]:
    """The statements of one call in order, as `VERB table`. Transactions do not count, nor does the note of the
    key's last use, which is written after the response and at most once a minute."""
    client.get("/v1/account")  # notes the use
    with CaptureQueriesContext(connection) as captured:
        response = client.generic(method, path, body or b"", content_type="application/json")
    assert response.status_code < 500
    return shapes(captured)


def shapes(captured: CaptureQueriesContext) -> list[str]:
    found = [_SHAPE.match(query["sql"]) for query in captured.captured_queries]
    return [f"{shape[1]} {shape[2]}" for shape in found if shape and shape[1] not in _TRANSACTION]


KEY = "SELECT api_keys_apikey"
RUN = "SELECT model_runs_modelrun"
AUDIT = "INSERT accounts_auditevent"
NOTES_OF_RUN = "WITH patients_session"
TELL = "WITH webhooks_webhookdelivery"  # one statement finds the listening webhooks and writes what they get


@pytest.mark.parametrize("rows", [10, 100_000])
@pytest.mark.parametrize("query", ["", "?userLabel=person+7&limit=100", "?status=CREATED&createdFrom=2026-01-01"])
def test_a_list_costs_two_reads_and_one_audit_row(
    api: Client, organization: Organization, rows: int, query: str
) -> None:
    fill(organization, rows)
    assert statements(api, "GET", RUNS + query) == [KEY, RUN, AUDIT]


def test_a_page_reads_no_more_of_the_table_than_it_shows(
    api: Client, organization: Organization, other_organization: Organization
) -> None:
    fill(organization, 50_000)
    fill(other_organization, 50_000)
    cursor = api.get(f"{RUNS}?limit=100").json()["nextCursor"]
    for after in (None, read_cursor({"cursor": cursor})):
        with CaptureQueriesContext(connection) as captured:
            page(selectors.list_runs(organization.id).values(*run_fields()), after, 20)
        with connection.cursor() as explain:
            explain.execute("EXPLAIN (ANALYZE, BUFFERS OFF) " + captured.captured_queries[0]["sql"])
            plan = "\n".join(line for (line,) in explain.fetchall())
        assert "Index Scan" in plan, plan
        assert "Sort" not in plan, plan
        assert max(int(float(found)) for found in re.findall(r"rows=([\d.]+) loops", plan)) <= 21, plan
        removed = re.findall(r"Rows Removed by Filter: (\d+)", plan)
        assert sum(map(int, removed)) <= 1, plan


def test_a_create_costs_the_key_the_run_and_its_audit_row(api: Client) -> None:
    found = statements(api, "POST", RUNS, json.dumps(minimal_body()))
    assert found == [KEY, "INSERT model_runs_modelrun", AUDIT]


def test_a_status_read_costs_two_reads_and_an_audit_row_once_there_are_results(api: Client) -> None:
    run_id = start(api)
    assert statements(api, "GET", f"{RUNS}/{run_id}") == [KEY, RUN]
    finish(run_id)
    assert statements(api, "GET", f"{RUNS}/{run_id}") == [KEY, RUN, AUDIT]
    assert statements(api, "GET", f"{RUNS}/{UNKNOWN_ID}") == [KEY, RUN]


def test_a_delete_costs_seven_statements(api: Client) -> None:
    run_id = create(api)["id"]
    found = statements(api, "DELETE", f"{RUNS}/{run_id}")
    assert found == [
        KEY, RUN, NOTES_OF_RUN, "DELETE model_runs_modelrun", AUDIT, TELL, "DELETE helios_site_idempotentreply",
    ]  # fmt: skip


def test_to_end_a_run_costs_its_update_its_audit_row_what_tells_the_webhooks_and_its_usage(api: Client) -> None:
    run_id = start(api)
    claim = services.claim_run(run_id=UUID(run_id))
    assert claim is not None
    with CaptureQueriesContext(connection) as captured:
        assert services.finish_run(claim=claim, analysis=OK)
    assert shapes(captured) == ["UPDATE model_runs_modelrun", AUDIT, TELL, "INSERT api_keys_usageday"]


def test_usage_costs_the_key_and_one_read(api: Client) -> None:
    assert statements(api, "GET", "/v1/usage") == [KEY, "SELECT api_keys_usageday"]


def test_what_is_refused_early_costs_the_key_alone(api: Client) -> None:
    assert statements(api, "GET", "/v1/account") == [KEY]
    for method, path, body in (
        ("POST", RUNS, "{"), ("GET", f"{RUNS}/x", None), ("PUT", RUNS, None), ("GET", f"{RUNS}?limit=0", None),
        ("POST", "/v1/models/apollo", None),
    ):  # fmt: skip
        assert statements(api, method, path, body) == [KEY], path
    assert statements(api, "GET", "/v1/nothing") == []


def test_a_malformed_key_costs_nothing(db: None) -> None:
    client = Client(headers={"x-api-key": "hlsk_wrong"})
    assert statements(client, "GET", RUNS) == []
    assert post(client, minimal_body()).status_code == 401

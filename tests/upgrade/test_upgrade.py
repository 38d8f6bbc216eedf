"""The data of the release before: `database.sql`, which `leave_database.py` made with its code, under today's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader
from django.test import Client, override_settings
from psycopg.sql import SQL

from apps.accounts.models import AuditEvent, Membership, User
from apps.accounts.sealing import seal_waiting
from apps.accounts.selectors import has_verified_email
from apps.api_keys.models import ApiKey
from apps.model_runs.execution import execute_run
from apps.model_runs.models import ModelRun, Status
from apps.webhooks.selectors import signing_secrets
from helios_site.storage import object_store
from tests.conftest import database_url_of_tests, new_database
from tests.upgrade.leave_database import PASSWORD, RECORDING, SECRETS

pytestmark = pytest.mark.django_db

FOLDER = Path(__file__).parent
RUNS = "/v1/models/mental-wellness"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())


@pytest.fixture(scope="module", autouse=True)
def before(django_db_setup: None, django_db_blocker: Any) -> Iterator[set[tuple[str, str]]]:
    """This module's own database, as it was left and then migrated; the migrations that it had before."""
    secrets = override_settings(
        API_KEY_PEPPERS=(SECRETS["HELIOS_API_KEY_PEPPERS"],),
        HELIOS_ENCRYPTION_KEYS=(SECRETS["HELIOS_ENCRYPTION_KEYS"],),
        HELIOS_UPLOAD_SIGNING_KEY=SECRETS["HELIOS_UPLOAD_SIGNING_KEY"],
    )
    with new_database() as name, django_db_blocker.unblock(), secrets:
        with psycopg.connect(database_url_of_tests(name)) as loading:
            loading.execute(SQL((FOLDER / "database.sql").read_text()))
        of_the_others = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = name
        try:
            applied = set(MigrationLoader(connection).applied_migrations)
            call_command("migrate", interactive=False, verbosity=0)
            yield applied
        finally:
            connection.close()
            connection.settings_dict["NAME"] = of_the_others


@pytest.fixture
def api() -> Client:
    return Client(headers={"x-api-key": EXPECTED["key"]})


def test_the_data_is_of_another_release_than_the_code(before: set[tuple[str, str]]) -> None:
    assert before < set(MigrationLoader(connection).graph.nodes)


def test_keys_authenticate_as_before(api: Client) -> None:
    assert api.get("/v1/account").status_code == 200
    assert Client(headers={"x-api-key": EXPECTED["revoked"]}).get("/v1/account").status_code == 401
    revoked = ApiKey.objects.get(name="gone")
    assert (revoked.status(), revoked.revoked_reason) == ("revoked", "found in a log")
    assert ApiKey.objects.get(name="all").rate_limit_per_minute == 900


def test_runs_in_each_state_read_as_before(api: Client) -> None:
    assert list(EXPECTED["states"]) == ["CREATED", "COMPLETE_OK", "COMPLETE_ERROR", "RUNNING"]
    for state in ("CREATED", "COMPLETE_OK", "COMPLETE_ERROR"):
        run_id = EXPECTED["states"][state]
        assert api.get(f"{RUNS}/{run_id}").json() == EXPECTED["runs"][run_id]
    assert {item["id"] for item in api.get(RUNS).json()["items"]} == set(EXPECTED["runs"])


def test_a_run_that_waited_is_carried_out(api: Client) -> None:
    run = ModelRun.objects.get(id=EXPECTED["states"]["RUNNING"])
    assert EXPECTED["runs"][str(run.id)]["status"] == Status.RUNNING
    with object_store().writer(run.recording_key) as writer:
        writer.write(RECORDING)
        writer.commit()
    execute_run(run.id)
    assert api.get(f"{RUNS}/{run.id}").json()["errorCode"] == "ERR_RECORDING_INVALID_FORMAT"


def test_people_and_webhooks_have_what_they_had() -> None:
    ada = User.objects.get(email="ada@example.org")
    assert ada.check_password(PASSWORD)
    assert has_verified_email(ada), "who could sign in before still can"
    assert Membership.objects.get(user=ada).role == "admin"
    assert User.objects.get(email="staff@example.org").is_superuser
    webhook_id, secret = EXPECTED["webhook"]
    assert signing_secrets(webhook_id) == [secret]


def test_the_audit_trail_is_unbroken_and_goes_on(api: Client) -> None:
    api.get(RUNS)
    seal_waiting()
    heads = [part for head in EXPECTED["heads"] for part in ("--expect-head", head)]
    out = StringIO()
    call_command("verify_audit", *heads, stdout=out)  # raises when a chain is broken
    assert "BROKEN" not in out.getvalue()
    assert AuditEvent.objects.count() > EXPECTED["events"]


LOSING = (migrations.DeleteModel, migrations.RemoveField, migrations.RenameField, migrations.RenameModel)


def test_no_migration_since_takes_away_what_the_release_before_still_reads(before: set[tuple[str, str]]) -> None:
    """While an upgrade goes through many machines, the code of the release before serves on the newest tables."""
    loader = MigrationLoader(connection)
    since = [loader.disk_migrations[node] for node in loader.graph.nodes if node not in before]
    losing = [
        (migration.app_label, migration.name, operation.describe())
        for migration in since
        for operation in migration.operations
        if isinstance(operation, LOSING)
    ]
    assert losing == []

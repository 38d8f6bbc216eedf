"""When PostgreSQL's disk is full, callers are told so, nothing is half written, and the next try succeeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.model_runs.models import ModelRun, Status
from apps.model_runs.uploads import upload_url
from helios_site.storage import object_store
from tests.contract.helios.calls import RUNS, minimal_body, post
from tests.model_runs.conftest import MakeRun

pytestmark = pytest.mark.django_db


@contextmanager
def refusing(table: str, state: str = "disk_full", when: str = "INSERT OR UPDATE") -> Iterator[None]:
    """The server itself answers each such write to `table` as it does when it finds no room."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            f"'could not extend file: No space left on device' USING ERRCODE = '{state}'; END $$;"
            f"CREATE TRIGGER refuse BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER refuse ON {table}; DROP FUNCTION refuse()")


def stored() -> list[str]:
    return list(object_store().keys_before(timezone.now() + timedelta(minutes=1)))


@pytest.mark.parametrize("table", ["model_runs_modelrun", "accounts_auditevent"])
def test_an_upload_is_refused_whole_and_can_be_sent_again(make_run: MakeRun, client: Client, table: str) -> None:
    run = make_run()
    target = upload_url(run).removeprefix(settings.HELIOS_PUBLIC_BASE_URL)
    before = stored()
    with refusing(table):
        reply = client.put(target, b"sound", content_type="audio/wav")
    assert (reply.status_code, "later" in reply.json()["detail"]) == (507, True)
    assert stored() == before
    run.refresh_from_db()
    assert (run.status, run.recording_key) == (Status.CREATED, "")
    assert client.put(target, b"sound", content_type="audio/wav").status_code == 200


def test_a_create_is_refused_whole_in_the_form_of_the_family(api: Client) -> None:
    with refusing("accounts_auditevent"):
        reply = post(api, minimal_body())
    assert (reply.status_code, reply.json()) == (507, {"detail": "Insufficient Storage. Please try again later"})
    assert "X-RateLimit-Limit" in reply.headers
    assert not ModelRun.objects.exists()
    assert not AuditEvent.objects.filter(action="model_run.created").exists()
    assert post(api, minimal_body()).status_code == 200
    assert api.get(RUNS).status_code == 200


def test_another_fault_of_the_database_is_no_full_disk(make_run: MakeRun, client: Client) -> None:
    target = upload_url(make_run()).removeprefix(settings.HELIOS_PUBLIC_BASE_URL)
    with pytest.raises(OperationalError), refusing("model_runs_modelrun", "too_many_connections"):
        client.put(target, b"sound", content_type="audio/wav")

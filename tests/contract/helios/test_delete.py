"""DELETE of a run, and `deleteData`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from helios_site.storage import object_store
from tests.contract.helios.calls import RUNS, create, minimal_body, read
from tests.contract.helios.conftest import FAILED, OK, finish, start

GONE = (404, b'{"detail":"Model run not found"}')


def answer(client: Client, run_id: str) -> tuple[int, bytes]:
    response = client.get(f"{RUNS}/{run_id}")
    return response.status_code, response.content


def stored_objects(run_id: str) -> list[str]:
    return [key for key in object_store().keys_before(timezone.now() + timedelta(days=2)) if run_id in key]


def in_state(api: Client, state: str) -> str:
    if state == "CREATED":
        return str(create(api)["id"])
    run_id = start(api)
    if state != "RUNNING":
        finish(run_id, OK if state == "COMPLETE_OK" else FAILED)
    return run_id


@pytest.mark.parametrize("state", ["CREATED", "RUNNING", "COMPLETE_OK", "COMPLETE_ERROR"])
def test_91_a_run_is_deleted_in_any_state(api: Client, state: str, django_capture_on_commit_callbacks: Any) -> None:
    run_id = in_state(api, state)
    assert read(api, run_id)["status"] == state
    with django_capture_on_commit_callbacks(execute=True):
        response = api.delete(f"{RUNS}/{run_id}")
    assert (response.status_code, response.json()) == (200, {"id": run_id, "deleted": True})
    assert answer(api, run_id) == GONE
    assert api.delete(f"{RUNS}/{run_id}").status_code == 404
    assert stored_objects(run_id) == []
    assert not ModelRun.objects.filter(id=run_id).exists()
    assert AuditEvent.objects.filter(action="model_run.deleted", object_id=run_id).count() == 1


def test_91_a_deleted_running_run_never_writes_results(api: Client) -> None:
    run_id = start(api)
    claim = services.claim_run(run_id=UUID(run_id))
    assert claim is not None
    assert api.delete(f"{RUNS}/{run_id}").status_code == 200
    assert services.finish_run(claim=claim, analysis=OK) is False
    assert answer(api, run_id) == GONE


def test_69_delete_data_answers_until_12_hours_after_completion(api: Client) -> None:
    for analysis in (OK, FAILED):
        run_id = start(api, minimal_body(deleteData=True))
        finish(run_id, analysis)
        completed = ModelRun.objects.get(id=run_id).completed_at
        assert completed is not None
        with time_machine.travel(completed + timedelta(hours=11, minutes=59), tick=False):
            body = read(api, run_id)
            assert (body["results"] is None) == (analysis is FAILED)
        with time_machine.travel(completed + timedelta(hours=12), tick=False):
            assert answer(api, run_id) == GONE
            assert api.delete(f"{RUNS}/{run_id}").status_code == 404


def test_70_then_recording_inputs_and_results_are_gone(api: Client) -> None:
    run_id = start(api, minimal_body(deleteData=True))
    finish(run_id)
    assert stored_objects(run_id)
    with time_machine.travel(timezone.now() + timedelta(hours=12, seconds=1), tick=False):
        assert services.erase_due_data() == 1
    assert stored_objects(run_id) == []
    assert not ModelRun.objects.filter(id=run_id).exists()


def test_71_without_delete_data_the_run_stays(api: Client, finished: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=12, minutes=1), tick=False):
        assert services.erase_due_data() == 0
        assert read(api, finished)["results"]
    assert stored_objects(finished)


@pytest.mark.parametrize(
    ("kinds", "remain"),
    [
        (["RECORDINGS"], {"inputs", "results"}),
        (["INPUTS"], {"recording", "results"}),
        (["RECORDINGS", "INPUTS"], {"results"}),
        (["RESULTS"], set()),
        ([], set()),
        (None, set()),
    ],
)
def test_72_only_the_named_kinds_are_erased(api: Client, kinds: list[str] | None, remain: set[str]) -> None:
    tags = [{"name": "site", "value": "north"}]
    run_id = start(api, minimal_body(deleteData=True, dataToDelete=kinds, tags=tags))
    finish(run_id)
    with time_machine.travel(timezone.now() + timedelta(hours=12, seconds=1), tick=False):
        assert services.erase_due_data() == 1
        if not remain:
            assert answer(api, run_id) == GONE
            return
        body = read(api, run_id)
    assert body["userLabel"]
    assert bool(body["results"]) == ("results" in remain)
    assert bool(stored_objects(run_id)) == ("recording" in remain)
    assert (body["extensions"]["tags"], body["extensions"]["language"]) == (
        (tags, "en-GB") if "inputs" in remain else ([], None)
    )
    assert (ModelRun.objects.get(id=run_id).date_of_birth is not None) == ("inputs" in remain)

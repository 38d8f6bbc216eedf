"""GET of one run, by both of its paths."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from django.test import Client

from apps.accounts.models import AuditEvent
from apps.model_runs.wellness.safety import SELF_HARM_WARNING
from tests.conftest import MakeKey
from tests.contract.helios.calls import RUNS, UNKNOWN_ID, assert_invalid, create, read
from tests.contract.helios.conftest import FAILED, OK, finish, start

DOCUMENTED = {
    "id", "createdAt", "status", "userLabel", "deleteData", "runAt", "completedAt", "errorReason", "errorCode",
    "warnings", "results",
}  # fmt: skip
EXTENSIONS = {
    "patientId", "language", "tags", "durationSeconds", "speechSeconds", "quality", "confidence", "evidence",
    "explanation", "safety", "model",
}  # fmt: skip


def test_45_all_documented_keys_are_there_in_every_state(api: Client, finished: str) -> None:
    running = start(api)
    failed = start(api)
    finish(failed, FAILED)
    for run_id in (create(api)["id"], running, failed, finished):
        body = read(api, run_id)
        assert body.keys() == DOCUMENTED | {"extensions"}
        assert body["extensions"].keys() == EXTENSIONS


def assert_described(body: dict[str, Any]) -> None:
    components = Client().get("/openapi.json").json()["components"]
    schema = {"$ref": "#/components/schemas/MentalWellnessModelRunResponse", "components": components}
    assert [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(body)] == []


def test_a_finished_run_says_what_the_model_found(api: Client, finished: str) -> None:
    body = read(api, finished)
    assert body["results"] == {
        "sections": [
            {"startSecs": 0, "finishSecs": 28.6, "transcript": OK.transcript}
            | {name: {"value": value} for name, value in (OK.scores or {}).items()}
        ]
    }
    extensions = body["extensions"]
    assert extensions["quality"] == {"level": "GOOD", "snrDb": 18.2, "clippingRatio": 0.0, "issues": []}
    assert (extensions["durationSeconds"], extensions["speechSeconds"]) == (28.6, 21.4)
    assert extensions["confidence"] == OK.confidence
    assert extensions["evidence"] == OK.evidence
    assert extensions["explanation"] == list(OK.explanation or ())
    assert extensions["safety"] == OK.safety
    assert extensions["model"] == {"name": "helios", "version": "test-1"}


def test_statements_about_self_harm_are_shown_with_their_times_and_warned_of(api: Client) -> None:
    run_id = start(api)
    assert read(api, run_id)["extensions"]["safety"] is None
    phrase = {"startSecs": 3.1, "finishSecs": 4.2, "text": "I want to die"}
    found = {"selfHarmLanguage": True, "phrases": [phrase]}
    finish(run_id, replace(OK, safety=found, warnings=(SELF_HARM_WARNING,)))
    body = read(api, run_id)
    assert body["extensions"]["safety"] == found
    assert body["warnings"] == [SELF_HARM_WARNING]
    assert body["results"]["sections"][0]["stress"] == {"value": (OK.scores or {})["stress"]}
    assert api.get(RUNS).json()["items"][0] == body
    assert_described(body)


def test_a_failed_run_is_200_and_keeps_what_was_measured(api: Client) -> None:
    run_id = start(api)
    finish(run_id, FAILED)
    body = read(api, run_id)
    assert (body["status"], body["errorCode"], body["results"]) == ("COMPLETE_ERROR", FAILED.error_code, None)
    assert body["errorReason"] == FAILED.error_reason
    assert body["extensions"]["speechSeconds"] == 6.2


def test_43_44_times_follow_each_other(api: Client, finished: str) -> None:
    running = read(api, start(api))
    assert running["runAt"] >= running["createdAt"]
    assert running["completedAt"] is None
    body = read(api, finished)
    assert body["completedAt"] >= body["runAt"] >= body["createdAt"]


def test_56_unknown_ids_are_404_and_others_422(api: Client) -> None:
    for path in (RUNS, "/v1/models"):
        response = api.get(f"{path}/{UNKNOWN_ID}")
        assert (response.status_code, response.json()) == (404, {"detail": "Model run not found"})
        for wrong in ("not-an-id", "1", UNKNOWN_ID + "0", "%00", "a%0A", "%F0%9F%98%80"):
            assert_invalid(api.get(f"{path}/{wrong}"), ["path", "model_run_id"], "type_error.uuid")


def test_ids_are_taken_in_every_form_that_python_takes(api: Client) -> None:
    run_id = create(api)["id"]
    for form in (run_id.upper(), run_id.replace("-", ""), "{" + run_id + "}", f"urn:uuid:{run_id}"):
        assert read(api, form)["id"] == str(UUID(run_id))


def test_58_polling_every_two_seconds_for_a_minute_is_never_throttled(api: Client) -> None:
    run_id = create(api)["id"]
    assert {api.get(f"{RUNS}/{run_id}").status_code for _ in range(31)} == {200}


def test_59_reading_twice_gives_equal_bodies(api: Client, finished: str) -> None:
    assert api.get(f"{RUNS}/{finished}").content == api.get(f"{RUNS}/{finished}").content


def test_74_the_older_path_gives_the_same_body(api: Client, finished: str, settings: Any) -> None:
    older = api.get(f"/v1/models/{finished}")
    assert older.status_code == 200
    assert older.content == api.get(f"{RUNS}/{finished}").content
    assert api.post(f"/v1/models/{finished}").status_code == 405
    settings.HELIOS_LEGACY_GET = False
    response = api.get(f"/v1/models/{finished}")
    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


def test_85_extensions_can_be_switched_off(api: Client, finished: str, settings: Any) -> None:
    assert read(api, finished).keys() == DOCUMENTED | {"extensions"}
    settings.HELIOS_EXTENSIONS_IN_RUN = False
    assert read(api, finished).keys() == DOCUMENTED
    assert api.get(RUNS).json()["items"][0].keys() == DOCUMENTED


def test_87_twenty_runs_polled_at_once_with_one_key(api: Client) -> None:
    runs = [create(api)["id"] for _ in range(20)]
    for round_ in range(1, 31):
        for run_id in runs:
            response = api.get(f"{RUNS}/{run_id}")
            assert response.status_code == 200
            assert int(response["X-RateLimit-Limit"]) == 120
            assert int(response["X-RateLimit-Remaining"]) == 120 - round_
            assert int(response["X-RateLimit-Reset"]) > 1_700_000_000


def test_head_is_a_get_without_body(api: Client, finished: str) -> None:
    response = api.head(f"{RUNS}/{finished}")
    assert (response.status_code, response.content) == (200, b"")


def test_reading_results_is_audited_and_polling_is_not(api: Client, make_key: MakeKey) -> None:
    key, raw = make_key(scopes=["model_runs:read"])
    reader = Client(headers={"x-api-key": raw})
    run_id = start(api)
    read(reader, run_id)
    reads = AuditEvent.objects.filter(action="model_run.read", object_id=run_id)
    assert not reads.exists()
    finish(run_id)
    read(reader, run_id)
    event = reads.get()
    assert (event.actor_id, event.method, event.path) == (str(key.id), "GET", f"{RUNS}/{run_id}")


@pytest.mark.parametrize("path", [RUNS, "/v1/models"])
def test_unknown_ids_count_in_the_general_row(make_key: MakeKey, path: str) -> None:
    client = Client(headers={"x-api-key": make_key(rate_limit_per_minute=3)[1]})
    run_id = create(client)["id"]
    statuses = [client.get(f"{path}/{UNKNOWN_ID[:-1]}{number}").status_code for number in range(4)]
    assert statuses == [404, 404, 429, 429]
    assert client.get(f"{path}/{run_id}").status_code == 200
    assert client.get(f"{path}/not-an-id").status_code == 429

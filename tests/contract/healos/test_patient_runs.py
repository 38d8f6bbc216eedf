"""`/ext-api/v1/patients/{id}/model-runs` and `/wellness`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent, Organization
from apps.model_runs.wellness.baseline import MAD_TO_SD
from apps.patients.models import Patient
from tests.conftest import MakeKey
from tests.contract.healos.calls import INVALID, send, with_key
from tests.contract.healos.notes import make_patient
from tests.contract.healos.patients import PATIENTS
from tests.contract.helios.readings import NOON, finished, most_rows_read, multiply, store, usual_days

pytestmark = pytest.mark.django_db

ABSENT = b'{"error":"Patient not found"}'
SCORES = ("mental_strain", "uniform_distress", "uniform_stress", "uniform_exhaustion", "uniform_sleep_propensity",
          "uniform_low_self_esteem")  # fmt: skip
BUCKETS = ("distress", "stress", "exhaustion", "sleep_propensity", "low_self_esteem")
SPREAD = 0.03 * MAD_TO_SD


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOON + timedelta(hours=1), tick=True):
        yield


@pytest.fixture
def patient(organization: Organization) -> Patient:
    return make_patient(organization, consent=True)


def path_of(patient: Patient, what: str) -> str:
    return f"{PATIENTS}/{patient.pk}/{what}"


def wellness(client: Client, patient: Patient, **query: Any) -> dict[str, Any]:
    answer = client.get(path_of(patient, "wellness"), query)
    assert answer.status_code == 200, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_the_runs_of_a_patient_are_listed_newest_first(api: Client, patient: Patient) -> None:
    organization = patient.organization
    failed = {"status": "COMPLETE_ERROR", "error_code": "ERR_RECORDING_TOO_SHORT", "scores": None, "model_version": ""}
    done, bad, waiting, _ = store(
        finished(organization, 1, 0.4, patient=patient, warnings=["It was noisy."]),
        finished(organization, 2, 0, patient=patient, quality=None, **failed),
        finished(organization, 3, 0, patient=patient, quality=None, completed_at=None, run_at=None, scores=None,
                 model_version="", status="CREATED"),
        finished(organization, 4, 0.4),
    )  # fmt: skip
    body = api.get(path_of(patient, "model-runs")).json()
    assert body["meta"] == {"page": 1, "limit": 20, "total_pages": 1}
    assert [item["id"] for item in body["data"]] == [str(run.id) for run in (done, bad, waiting)]
    assert body["data"][0] == {
        "id": str(done.id),
        "status": "COMPLETE_OK",
        "created_at": "2026-05-19T11:59:00.000Z",
        "completed_at": "2026-05-19T12:00:00.000Z",
        "error_code": None,
        "warnings": ["It was noisy."],
        "scores": dict.fromkeys(SCORES, 0.4) | dict.fromkeys(BUCKETS, 0.33),
        "quality": {"level": "GOOD", "snr_db": 20.0, "clipping_ratio": 0.0, "issues": []},
        "model_version": "1",
    }
    assert body["data"][1]["error_code"] == "ERR_RECORDING_TOO_SHORT"
    empty = ("completed_at", "error_code", "scores", "quality", "model_version")
    assert [body["data"][2][name] for name in empty] == [None] * 5
    page = api.get(path_of(patient, "model-runs"), {"page": 2, "limit": 2}).json()
    assert ([item["id"] for item in page["data"]], page["meta"]["total_pages"]) == ([str(waiting.id)], 2)


def test_wellness_is_the_series_what_is_usual_and_what_changed(api: Client, patient: Patient) -> None:
    before = usual_days(patient.organization, patient=patient)
    [latest] = store(finished(patient.organization, 0, 0.8, patient=patient, recording_time="2026-05-20T08:15"))
    data = wellness(api, patient)
    assert (data["patient_id"], data["window_days"], data["min_days"]) == (str(patient.pk), 90, 5)
    reading = {"model_run_id": str(latest.id), "day": "2026-05-20", "time": "2026-05-20T08:15:00.000Z"}
    assert (data["model_version"], data["latest"]) == ("1", reading | {"quality": "GOOD"})
    assert tuple(data["scores"]) == SCORES
    stress = data["scores"]["uniform_stress"]
    assert [point["model_run_id"] for point in stress["series"]] == [str(run.id) for run in (*before, latest)]
    assert stress["series"][-1] == reading | {"value": 0.8}
    baseline = stress["baseline"]
    assert baseline.pop("minimum_detectable_change") == pytest.approx(1.96 * 2**0.5 * SPREAD * 1.52, abs=1e-4)
    assert baseline == {
        "ready": True, "runs_used": 6, "days_used": 6, "median": 0.39, "spread": round(SPREAD, 4),
        "low": round(0.39 - 1.96 * SPREAD, 4), "high": round(0.39 + 1.96 * SPREAD, 4),
    }  # fmt: skip
    assert stress["change"] == {
        "value": 0.8,
        "deviation": round(0.41 / SPREAD, 4),
        "changed": True,
        "text": "Stress is higher than usual for this person: 0.80 against a median of 0.39; "
        "a difference above 0.19 is more than their ordinary ups and downs.",
    }


def test_the_series_has_bounds_and_holds_only_what_can_be_compared(api: Client, patient: Patient) -> None:
    organization = patient.organization
    runs = usual_days(organization, patient=patient)
    store(
        finished(organization, 3, 0.9, patient=patient, quality={"level": "POOR"}),
        finished(organization, 3, 0.9, patient=patient, model_version="0"),
        finished(organization, 3, 0.9),
    )
    [old, unmeasured] = store(
        finished(organization, 95, 0.4, patient=patient),
        finished(organization, 4.1, 0.4, patient=patient, quality=None),
    )
    usual = [runs[0], runs[1], unmeasured, *runs[2:]]

    def shown(**query: Any) -> list[str]:
        return [point["model_run_id"] for point in wellness(api, patient, **query)["scores"]["mental_strain"]["series"]]

    def ids(*wanted: Any) -> list[str]:
        return [str(run.id) for run in wanted]

    assert shown() == ids(*usual)
    assert shown(**{"from": "2026-01-01"}) == ids(old, *usual)
    assert shown(to="2026-05-15") == ids(old, *usual[:2])
    assert shown(**{"from": "2026-05-19", "to": "2026-05-19"}) == ids(runs[-1])
    assert shown(**{"from": "2026-05-19", "to": "2026-05-18"}) == []
    answer = api.get(path_of(patient, "wellness"), {"from": "2026-02-30", "to": "x"})
    assert (answer.status_code, answer.json()["error"]) == (400, INVALID)
    assert answer.json()["details"] == {"from": ["Invalid date"], "to": ["Invalid date"]}


def test_without_enough_days_a_sentence_says_so(api: Client, patient: Patient) -> None:
    data = wellness(api, patient)
    assert (data["latest"], data["model_version"]) == (None, None)
    nothing = {"value": None, "deviation": None, "changed": False, "text": "Stress has no value to compare."}
    assert data["scores"]["uniform_stress"]["change"] == nothing
    assert data["scores"]["uniform_stress"]["series"] == []
    store(finished(patient.organization, 0, 0.4, patient=patient))
    stress = wellness(api, patient)["scores"]["uniform_stress"]
    assert stress["baseline"]["ready"] is False
    assert stress["change"]["text"] == "Stress is compared from 5 earlier days on; so far there are 0."
    store(finished(patient.organization, -0.01, 0.4, patient=patient, quality={"level": "POOR"}))
    poor = wellness(api, patient)
    assert poor["latest"]["quality"] == "POOR"
    assert "too poor" in poor["scores"]["uniform_stress"]["change"]["text"]


@pytest.mark.parametrize("what", ["model-runs", "wellness"])
def test_both_need_both_scopes_a_patient_of_ones_own_and_are_on_the_record(
    api: Client, other_api: Client, make_key: MakeKey, patient: Patient, what: str
) -> None:
    path = path_of(patient, what)
    for scope in ("patients:read", "model_runs:read"):
        answer = with_key(make_key(scopes=[scope])[1]).get(path)
        assert (answer.status_code, answer.content) == (403, b'{"error":"Insufficient scope"}')
    assert with_key(make_key(scopes=["patients:read", "model_runs:read"])[1]).get(path).status_code == 200
    event = AuditEvent.objects.latest("id")
    verb = {"model-runs": "model_runs_listed", "wellness": "wellness_read"}[what]
    assert (event.action, event.object_id, event.reason) == (f"patient.{verb}", str(patient.pk), "")
    assert (other_api.get(path).status_code, other_api.get(path).content) == (404, ABSENT)
    assert api.get(f"{PATIENTS}/0{patient.pk}/{what}").content == ABSENT
    assert send(api, "POST", path, {}).status_code == 405
    send(api, "DELETE", f"{PATIENTS}/{patient.pk}")
    assert api.get(path).content == ABSENT


def test_of_ten_thousand_runs_only_the_window_is_read(api: Client, patient: Patient) -> None:
    [run] = store(finished(patient.organization, 0, 0.4, patient=patient))
    multiply(run, 10_000)
    with CaptureQueriesContext(connection) as captured:
        assert len(wellness(api, patient)["scores"]["mental_strain"]["series"]) == 182
    assert len(captured) <= 7, "key and its use, patient, latest reading, window, series, audit"
    assert 182 <= most_rows_read(captured) <= 200

"""`/v1/users/history` and `/v1/users/baseline`: the contract's section on additions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent, Organization
from apps.model_runs.models import ModelRun
from apps.model_runs.wellness.baseline import MAD_TO_SD
from apps.model_runs.wellness.scores import CONTINUOUS_NAMES
from tests.conftest import MakeKey
from tests.contract.healos.calls import with_key
from tests.contract.helios.calls import assert_invalid, create
from tests.contract.helios.readings import LABEL, NOON, TODAY, finished, most_rows_read, multiply, store, usual_days

pytestmark = pytest.mark.django_db

HISTORY, BASELINE = "/v1/users/history", "/v1/users/baseline"
SPREAD = 0.03 * MAD_TO_SD
NOTHING = dict.fromkeys(("median", "mad", "low", "high"))


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOON + timedelta(hours=1), tick=True):
        yield


def read(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(path, {"userLabel": LABEL} | query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_run_is_told_against_the_days_before_it(api: Client, organization: Organization) -> None:
    before = usual_days(organization)
    [run] = store(finished(organization, 0, 0.39 + 2 * SPREAD))
    reply = read(api, HISTORY)
    assert list(reply) == ["userLabel", "items", "nextCursor"]
    assert (reply["userLabel"], reply["nextCursor"]) == (LABEL, None)
    assert [item["id"] for item in reply["items"]] == [str(one.id) for one in (run, *reversed(before))]
    item = reply["items"][0]
    assert item.pop("completedAt") == "2026-05-20T12:00:00+00:00"
    assert item.pop("deviation") == dict.fromkeys(CONTINUOUS_NAMES, 2.0)
    assert item == {"id": str(run.id), **dict.fromkeys(CONTINUOUS_NAMES, pytest.approx(0.39 + 2 * SPREAD))}
    [five_before, *rest] = reply["items"][1:]
    assert five_before["deviation"] is not None
    assert [one["deviation"] for one in rest] == [None] * 5, "fewer than five days before"


def test_what_does_not_count_is_listed_and_not_compared(api: Client, organization: Organization) -> None:
    usual_days(organization, model_version="2")
    poor = {"level": "POOR", "snr_db": 1.0, "clipping_ratio": 0.0, "issues": []}
    store(finished(organization, 0, 0.9), finished(organization, 0.1, 0.9, model_version="2", quality=poor))
    assert [item["deviation"] for item in read(api, HISTORY)["items"][:2]] == [None, None]


def test_history_has_pages_and_times(api: Client, organization: Organization) -> None:
    runs = [str(run.id) for run in reversed(usual_days(organization))]
    first = read(api, HISTORY, limit=4)
    rest = read(api, HISTORY, limit=4, cursor=first["nextCursor"])
    assert [item["id"] for item in first["items"] + rest["items"]] == runs
    assert rest["nextCursor"] is None

    def listed(**query: Any) -> list[str]:
        return [item["id"] for item in read(api, HISTORY, **query)["items"]]

    assert listed(**{"from": "2026-05-18"}) == runs[:2]
    assert listed(to="2026-05-15") == runs[4:]
    assert listed(**{"from": "2026-05-15T12:00:00+00:00", "to": "2026-05-15"}) == [runs[4]]
    assert listed(to="2020-01-01") == []


def test_the_baseline_is_of_the_window_that_ends_today(api: Client, organization: Organization) -> None:
    usual_days(organization)
    store(
        finished(organization, 91, 0.9),
        finished(organization, 1, 0.9, quality={"level": "POOR"}),
        finished(organization, 2, 0.9, model_version="0"),
        finished(organization, 1, 0.9, user_label="another"),
        finished(organization, 1, 0.9, status="COMPLETE_ERROR", error_code="ERR_INTERNAL", scores=None),
    )
    score = {"median": 0.39, "mad": 0.03, "low": round(0.39 - 1.96 * SPREAD, 4), "high": round(0.39 + 1.96 * SPREAD, 4)}
    assert read(api, BASELINE) == {
        "userLabel": LABEL,
        "ready": True,
        "runsUsed": 6,
        "windowDays": 90,
        "scores": dict.fromkeys(CONTINUOUS_NAMES, score),
    }
    store(finished(organization, 0, 0.9, model_version="3"))
    later = read(api, BASELINE)
    assert (later["ready"], later["runsUsed"]) == (False, 1), "another model begins anew"
    assert later["scores"] == dict.fromkeys(CONTINUOUS_NAMES, NOTHING)


def test_five_runs_must_be_of_five_days_and_the_day_is_that_of_the_recording(
    api: Client, organization: Organization
) -> None:
    store(*(finished(organization, 0.01 * number, 0.4) for number in range(5)))
    assert (read(api, BASELINE)["ready"], read(api, BASELINE)["runsUsed"]) == (False, 5)
    for number, run in enumerate(ModelRun.objects.all()):
        day = TODAY - timedelta(days=number)
        ModelRun.objects.filter(pk=run.pk).update(recording_time=f"{day}T23:59")
    assert read(api, BASELINE)["ready"] is True
    ModelRun.objects.update(recording_time="9999-12-31T00:00")
    assert read(api, BASELINE)["ready"] is False, "a clock that is wrong is not believed"
    ModelRun.objects.update(recording_time="0001-01-01T00:00")
    assert read(api, BASELINE)["runsUsed"] == 0
    assert [item["deviation"] for item in read(api, HISTORY)["items"]] == [None] * 5


def test_settings_decide_when_it_is_ready(api: Client, organization: Organization, settings: Any) -> None:
    usual_days(organization)
    settings.HELIOS_BASELINE_MIN_RUNS = 7
    assert read(api, BASELINE)["ready"] is False
    settings.HELIOS_BASELINE_MIN_RUNS, settings.HELIOS_BASELINE_WINDOW_DAYS = 5, 5
    reply = read(api, BASELINE)
    assert (reply["ready"], reply["runsUsed"], reply["windowDays"]) == (False, 4, 5)


def test_an_unknown_label_is_404_and_a_known_one_without_results_is_not(
    api: Client, other_api: Client, organization: Organization
) -> None:
    usual_days(organization)
    for path in (HISTORY, BASELINE):
        for client, label in ((api, "person-2"), (api, "Person-1"), (other_api, LABEL)):
            answer = client.get(path, {"userLabel": label})
            assert (answer.status_code, answer.json()) == (404, {"detail": "User not found"})
        assert_invalid(api.get(path), ["query", "userLabel"], "value_error.missing")
        assert_invalid(api.get(path, {"userLabel": ""}), ["query", "userLabel"], "value_error.any_str.min_length")
    for name, wrong in (("from", "2026-02-30"), ("to", "x"), ("limit", "0"), ("cursor", "x")):
        assert api.get(HISTORY, {"userLabel": LABEL, name: wrong}).json()["detail"][0]["loc"] == ["query", name]
    create(api)
    assert read(api, HISTORY, userLabel="42baba59")["items"] == []
    reply = read(api, BASELINE, userLabel="42baba59")
    assert (reply["ready"], reply["runsUsed"], reply["scores"]["mentalStrain"]) == (False, 0, NOTHING)


def test_runs_that_are_due_for_erasure_tell_nothing(api: Client, organization: Organization) -> None:
    usual_days(organization, delete_data=True)
    assert api.get(BASELINE, {"userLabel": LABEL}).status_code == 404


def test_both_need_to_read_runs_and_are_on_the_record(
    api: Client, organization: Organization, make_key: MakeKey
) -> None:
    usual_days(organization)
    writer = with_key(make_key(scopes=["model_runs:write", "patients:read"])[1])
    for path, action in ((HISTORY, "model_run.history_read"), (BASELINE, "model_run.baseline_read")):
        assert writer.get(path, {"userLabel": LABEL}).status_code == 403
        read(api, path)
        event = AuditEvent.objects.latest("id")
        assert (event.action, event.object_id, event.reason) == (action, "", "")
        assert LABEL not in event.path


@pytest.mark.parametrize("path", [HISTORY, BASELINE])
def test_of_ten_thousand_runs_only_the_window_is_read(api: Client, organization: Organization, path: str) -> None:
    [run] = store(finished(organization, 0, 0.4))
    multiply(run, 10_000)
    with CaptureQueriesContext(connection) as captured:
        read(api, path, **({"limit": 10} if path == HISTORY else {}))
    assert len(captured) <= 6, "key and its use, whether there are any, latest reading, window, audit"
    assert most_rows_read(captured) <= 200

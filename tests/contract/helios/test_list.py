"""GET /v1/models/mental-wellness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from apps.model_runs.models import ModelRun
from tests.contract.helios.calls import RUNS, assert_invalid, body_with_user, create, minimal_body
from tests.contract.helios.conftest import FAILED, finish, start


def listed(client: Client, **query: Any) -> list[str]:
    response = client.get(f"{RUNS}?{urlencode(query, doseq=True)}")
    assert response.status_code == 200, response.content
    return [item["id"] for item in response.json()["items"]]


def at(run_id: str, **times: datetime) -> None:
    assert ModelRun.objects.filter(id=run_id).update(**times)


def test_the_list_is_newest_first_with_whole_runs(api: Client, finished: str) -> None:
    newest = create(api)["id"]
    body = api.get(RUNS).json()
    assert body.keys() == {"items", "nextCursor"}
    assert [item["id"] for item in body["items"]] == [newest, finished]
    assert body["items"][1] == api.get(f"{RUNS}/{finished}").json()
    assert body["nextCursor"] is None


def test_90_each_filter_narrows(api: Client) -> None:
    a = create(api, body_with_user(userLabel="a") | {"tags": [{"name": "site", "value": "n:1"}, {"name": "arm"}]})["id"]
    b = create(api, minimal_body(tags=[{"name": "site", "value": "south"}]))["id"]
    running = start(api)
    failed = start(api)
    finish(failed, FAILED)
    everything = [failed, running, b, a]
    assert listed(api) == everything
    assert listed(api, userLabel="a") == [a]
    assert listed(api, userLabel="A") == []
    assert listed(api, status="RUNNING") == [running]
    assert listed(api, status=["CREATED", "COMPLETE_ERROR"]) == [failed, b, a]
    assert listed(api, tag="site") == [b, a]
    assert listed(api, tag="site:n:1") == [a]
    assert listed(api, tag=["site", "arm"]) == [a]
    assert listed(api, tag=["site:south", "arm"]) == []
    assert listed(api, tag="arm:") == [a]
    assert listed(api, unknown="x", page="7") == everything


def test_90_times_narrow_with_both_ends_inclusive(api: Client) -> None:
    runs = [create(api)["id"] for _ in range(3)]
    for day, run_id in enumerate(runs, 1):
        at(run_id, created_at=datetime(2026, 1, day, 23, 59, 59, 999_999, tzinfo=UTC))
    first, second, third = runs
    assert listed(api, createdFrom="2026-01-02") == [third, second]
    assert listed(api, createdTo="2026-01-02") == [second, first]
    assert listed(api, createdFrom="2026-01-02", createdTo="2026-01-02") == [second]
    shown = api.get(RUNS).json()["items"][1]["createdAt"]  # whole seconds: its own run lies in that second
    assert listed(api, createdFrom=shown, createdTo=shown) == [second]
    assert listed(api, createdTo="2026-01-02T23:59:59.5Z") == [first]
    assert listed(api, createdFrom="2026-01-03T01:59:59+02:00", createdTo="2026-01-03T01:59:59+02:00") == [second]
    assert api.get(f"{RUNS}?createdFrom=2026-01-03T01:59:59+02:00").json()["items"][1]["id"] == second
    assert listed(api, createdFrom="9999-12-31", createdTo="9999-12-31") == []
    assert listed(api, createdTo="9999-12-31T23:59:59-23:00", createdFrom="0001-01-01T00:00+23:00") == runs[::-1]

    done = start(api)
    finish(done)
    at(done, run_at=datetime(2026, 2, 1, tzinfo=UTC), completed_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert listed(api, completedFrom="2026-01-31") == [done]
    assert listed(api, completedTo="2026-02-01") == [done]
    assert listed(api, completedFrom="2026-02-02") == []


def test_90_pages_cover_all_runs_once_while_runs_are_added(api: Client) -> None:
    before = [create(api)["id"] for _ in range(23)]
    moment = ModelRun.objects.get(id=before[3]).created_at
    ModelRun.objects.filter(id__in=before[3:12]).update(created_at=moment)  # ties
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = api.get(f"{RUNS}?{urlencode(query)}").json()
        seen += [item["id"] for item in page["items"]]
        assert len(page["items"]) <= 5
        create(api)
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(before)


def test_90_filters_hold_on_every_page(api: Client) -> None:
    wanted = [create(api, body_with_user(userLabel=f"p{number % 2}"))["id"] for number in range(8)][1::2][::-1]
    page = api.get(f"{RUNS}?userLabel=p1&limit=3").json()
    rest = api.get(f"{RUNS}?userLabel=p1&limit=3&cursor={page['nextCursor']}").json()
    assert [item["id"] for item in page["items"] + rest["items"]] == wanted
    assert rest["nextCursor"] is None


def test_90_foreign_runs_never_appear(api: Client, other_api: Client) -> None:
    mine, theirs = create(api)["id"], create(other_api)["id"]
    assert (listed(api), listed(other_api)) == ([mine], [theirs])
    create(other_api)
    cursor = other_api.get(f"{RUNS}?limit=1").json()["nextCursor"]
    assert listed(api, cursor=cursor) == [mine]


def test_limits(api: Client) -> None:
    for _ in range(3):
        create(api)
    ModelRun.objects.bulk_create(
        ModelRun(
            organization_id=run.organization_id, user_label="x", language="en-GB", upload_expires_at=run.created_at
        )
        for run in [ModelRun.objects.first()] * 99
        if run is not None
    )
    assert len(listed(api)) == 20
    assert len(listed(api, limit=1)) == 1
    assert len(listed(api, limit=100)) == 100
    assert len(listed(api, limit=101)) == 100
    assert len(listed(api, limit="9" * 100)) == 100


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("limit=0", "value_error.number.not_ge"),
        ("limit=-1", "value_error.number.not_ge"),
        ("limit=x", "type_error.integer"),
        ("limit=", "type_error.integer"),
        ("limit=1.5", "type_error.integer"),
        ("cursor=", "value_error"),
        ("cursor=abc", "value_error"),
        ("cursor=" + "A" * 32, "value_error"),
        ("status=FAILED", "type_error.enum"),
        ("status=", "type_error.enum"),
        ("status=CREATED&status=created", "type_error.enum"),
        ("tag=", "value_error.any_str.min_length"),
        ("tag=:x", "value_error.any_str.min_length"),
        ("userLabel=", "value_error.any_str.min_length"),
        ("userLabel=" + "x" * 51, "value_error.any_str.max_length"),
        ("createdFrom=", "value_error.datetime"),
        ("createdTo=2026-02-30", "value_error.datetime"),
        ("completedFrom=10:00", "value_error.datetime"),
        ("completedTo=2026-01-01T25:00", "value_error.datetime"),
        ("patientId=", "value_error"),
        ("patientId=05", "value_error"),
    ],
)
def test_bad_values_are_422_at_the_parameter(api: Client, query: str, kind: str) -> None:
    assert_invalid(api.get(f"{RUNS}?{query}"), ["query", query.partition("=")[0]], kind)


def test_a_run_due_for_erasure_is_not_listed(api: Client) -> None:
    run_id = start(api, minimal_body(deleteData=True))
    finish(run_id)
    assert listed(api) == [run_id]
    due = datetime.now(UTC) - timedelta(hours=12)
    at(run_id, created_at=due, run_at=due, completed_at=due)
    assert listed(api) == []

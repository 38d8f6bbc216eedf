"""What operators and load balancers read."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.model_runs import metrics
from tests.model_runs.conftest import FAILED, OK, MakeRun, make_finished, make_run, make_running

__all__ = ["make_finished", "make_run", "make_running"]  # fixtures

pytestmark = pytest.mark.django_db


def test_livez_touches_neither_database_nor_broker(
    client: Client, django_assert_num_queries: Any, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with django_assert_num_queries(0):
        assert client.get("/livez").json() == {"status": "ok"}


def test_readyz_is_ready_with_database_migrations_and_broker(client: Client) -> None:
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json()["checks"]["database"], reply.json()["checks"]["broker"]) == (
        200,
        "ok",
        "ok",
    )


def test_readyz_names_the_part_that_is_away(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    reply = client.get("/readyz")
    assert reply.status_code == 503
    assert reply.json()["checks"] == {"database": "ok", "broker": "no connection"}


def test_readyz_says_when_migrations_are_pending(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'model_runs'")
    reply = client.get("/readyz")
    assert reply.status_code == 503
    assert "manage.py migrate" in reply.json()["checks"]["database"]


def test_metrics_show_waiting_runs_failures_by_code_and_stage_times(
    client: Client, make_running: MakeRun, make_finished: MakeRun
) -> None:
    make_running()
    counted = (
        'helios_runs_finished_total{code="OK"}',
        'helios_runs_finished_total{code="ERR_RECORDING_TOO_SHORT"}',
        'helios_run_stage_seconds_bucket{le="0.1",stage="decode"}',
        'helios_run_stage_seconds_count{stage="upload_to_result"}',
    )
    before = shown(client)  # a process counts for as long as it lives
    metrics.observe_run(make_finished(), OK)
    metrics.observe_run(make_finished(analysis=FAILED), FAILED)
    after = shown(client)
    assert after["helios_runs_waiting"] == 1
    assert [after[name] - before.get(name, 0) for name in counted] == [1, 1, 1, 2]
    assert "helios_queue_age_seconds" in after


def shown(client: Client) -> dict[str, float]:
    """The samples of `/metrics` by name and labels."""
    lines = client.get("/metrics").content.decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def test_metrics_are_for_this_machine_or_for_the_holder_of_the_token(client: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 403
    assert client.get("/metrics", headers={"x-forwarded-for": "192.0.2.7"}).status_code == 403
    settings.HELIOS_METRICS_TOKEN = "t" * 20
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"authorization": f"Bearer {'t' * 20}"}).status_code == 200
    assert client.get("/metrics", headers={"authorization": f"Bearer {'é' * 20}"}).status_code == 403

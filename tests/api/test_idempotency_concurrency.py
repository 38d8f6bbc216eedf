"""`Idempotency-Key` when calls come at once, and when the server dies in the middle of one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import AuditEvent
from apps.model_runs import services as runs
from apps.model_runs.models import ModelRun
from helios_site.api.families import idempotency
from helios_site.models import IdempotentReply
from tests.conftest import RECORDINGS, MakeKey, Server
from tests.contract.helios.calls import RUNS, minimal_body

BODY = json.dumps(minimal_body())


@RECORDINGS
def test_of_50_equal_calls_at_once_one_is_done_and_the_others_get_its_reply_or_409(
    server: Server, make_key: MakeKey
) -> None:
    headers = {"x-api-key": make_key()[1], "content-type": "application/json", "idempotency-key": "key-1"}

    def call(_: int) -> tuple[int, bytes, str | None]:
        with server.connect() as connected:
            connected.request("POST", RUNS, BODY, headers)
            response = connected.getresponse()
            return response.status, response.read(), response.headers["Retry-After"]

    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(call, range(50)))
    done = {body for status, body, _ in replies if status == 200}
    assert len(done) == 1
    assert {(status, wait) for status, _, wait in replies if status != 200} <= {(409, "1")}
    assert call(0) == (200, done.pop(), None)
    assert ModelRun.objects.count() == IdempotentReply.objects.count() == 1
    assert AuditEvent.objects.filter(action="model_run.created").count() == 1


@pytest.fixture
def in_flight(transactional_db: None, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`with in_flight() as (client, first, go_on)`: the first call has made its run and does not commit before
    `go_on` is set."""
    raw_key, real = make_key()[1], runs.create_run

    @contextmanager
    def holding() -> Iterator[tuple[Client, Future[int], Event]]:
        made, go_on = Event(), Event()

        def create_and_wait(**fields: Any) -> ModelRun:
            run = real(**fields)
            made.set()
            assert go_on.wait(30)
            return run

        def first() -> int:
            try:
                return send(Client(headers={"x-api-key": raw_key}, raise_request_exception=False)).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            monkeypatch.setattr(runs, "create_run", create_and_wait)
            future = pool.submit(first)
            try:
                assert made.wait(30)
                monkeypatch.setattr(runs, "create_run", real)
                yield Client(headers={"x-api-key": raw_key}), future, go_on
            finally:
                go_on.set()

    return holding


def send(client: Client) -> Any:
    return client.post(RUNS, BODY, content_type="application/json", headers={"idempotency-key": "key-1"})


def test_while_the_first_call_is_under_way_the_second_is_409(in_flight: Any) -> None:
    with in_flight() as (client, first, go_on):
        second = send(client)
        assert (second.status_code, second.headers["Retry-After"]) == (409, "1")
        assert second.json() == {"detail": "The first call with this Idempotency-Key is still under way."}
        go_on.set()
        assert first.result(30) == 200
        third = send(client)
        assert (third.status_code, third.headers["Idempotent-Replayed"]) == (200, "true")
    assert ModelRun.objects.count() == 1


def test_a_crash_takes_the_lock_and_what_was_done_along(in_flight: Any) -> None:
    with in_flight() as (client, first, go_on):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'")
            assert cursor.fetchall() == [(True,)]
        again = send(client)
        assert (again.status_code, "Idempotent-Replayed" in again.headers) == (200, False)
        go_on.set()
        assert first.result(30) == 500
    assert str(ModelRun.objects.get().id) == again.json()["id"]


def test_the_lock_of_a_server_that_vanished_lapses(in_flight: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert idempotency.LOCK_SECONDS <= 60
    monkeypatch.setattr(idempotency, "LOCK_SECONDS", 1)
    with in_flight() as (client, first, go_on):
        assert send(client).status_code == 409
        deadline = time.monotonic() + 20
        while (again := send(client)).status_code == 409:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        go_on.set()
        assert first.result(30) == 500
    assert str(ModelRun.objects.get().id) == again.json()["id"]

"""Valkey and PostgreSQL are killed, emptied and restarted under the runs; so are the jobs that look after them."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.chaos.customer import Customer, recordings
from tests.chaos.installation import Installation, children, kill, wait_for
from tests.chaos.verdict import Aftermath, judge

pytestmark = pytest.mark.chaos


@contextmanager
def frozen_worker(helios: Installation) -> Iterator[None]:
    """The worker takes nothing from the queue: what is uploaded meanwhile waits there."""
    leader = helios.pid("worker")
    pids = [leader, *children(leader)]
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            kill(pid, signal.SIGCONT)


def queued(helios: Installation) -> int:
    with helios.valkey(1) as broker:
        return sum(broker.llen(name) for name in broker.scan_iter("runs*"))


def restart(helios: Installation, name: str, number: signal.Signals) -> None:
    before = helios.pid(name)
    helios.kill(name, number)
    helios.await_restart(name, before)


def test_runs_survive_the_death_of_valkey_while_they_flow(helios: Installation, customer: Customer) -> None:
    aftermath = Aftermath()
    with customer.sending(recordings("valkey killed while runs flow"), per_second=8) as sent:
        time.sleep(2.0)
        restart(helios, "valkey", signal.SIGKILL)
        aftermath.begins(helios)
    judge(helios, customer, sent.runs)
    aftermath.judge(helios)


def test_fifty_queued_runs_survive_the_death_of_valkey(helios: Installation, customer: Customer) -> None:
    with frozen_worker(helios):
        with customer.sending(recordings("valkey killed with 50 queued"), per_second=50) as sent:
            pass
        assert queued(helios) >= 50
        before = helios.pid("valkey")
        helios.kill("valkey")
        wait_for(lambda: helios.pid("valkey") != before, 30.0, "Valkey to start again", helios.report)
    helios.await_services()
    judge(helios, customer, sent.runs)


def test_fifty_queued_runs_survive_the_loss_of_everything_in_valkey(helios: Installation, customer: Customer) -> None:
    with frozen_worker(helios):
        with customer.sending(recordings("everything in valkey lost with 50 queued"), per_second=50) as sent:
            pass
        assert queued(helios) >= 50
        with helios.valkey(0) as valkey:
            valkey.flushall()
        assert queued(helios) == 0
    judge(helios, customer, sent.runs)


@pytest.mark.parametrize(
    ("scenario", "number"), [("postgres killed", signal.SIGKILL), ("postgres restarted", signal.SIGINT)]
)
def test_runs_survive_the_end_of_postgres(
    helios: Installation, customer: Customer, scenario: str, number: signal.Signals
) -> None:
    aftermath = Aftermath()
    with customer.sending(recordings(scenario), per_second=8) as sent:
        wait_for(helios.claimed, 60.0, "a worker to claim a run", helios.report)
        restart(helios, "postgres", number)
        aftermath.begins(helios)
    judge(helios, customer, sent.runs)
    aftermath.judge(helios)


def test_no_request_fails_on_a_connection_that_broke_with_postgres(helios: Installation, customer: Customer) -> None:
    def status(_: int) -> int:
        return customer.try_once("GET", "/v1/account")[0]

    with ThreadPoolExecutor(16) as callers:
        assert set(callers.map(status, range(200))) == {200}  # the pool has many connections now
        before = helios.pid("postgres")
        helios.kill("postgres", signal.SIGINT)
        wait_for(lambda: helios.pid("postgres") != before, 30.0, "PostgreSQL to start again", helios.report)
        # Not by asking /readyz, which would itself use the broken connections up.
        wait_for(helios.postgres_answers, 30.0, "PostgreSQL to answer", helios.report)
    assert [status(0) for _ in range(40)] == [200] * 40
    helios.await_services()


def test_runs_survive_the_death_of_beat_and_housekeeping(helios: Installation, customer: Customer) -> None:
    """Both die while a dead worker's run and lost messages need the sweeper that they serve."""
    before = {name: helios.pid(name) for name in ("beat", "housekeeping")}
    with customer.sending(recordings("beat and housekeeping killed"), per_second=8) as sent:
        wait_for(helios.claimed, 60.0, "a worker to claim a run", helios.report)
        for name in before:
            helios.kill_whole(name)
        for pid in helios.pool_children():
            kill(pid)
        with helios.valkey(0) as valkey:
            valkey.flushall()
    for name, pid in before.items():
        helios.await_restart(name, pid)
    aftermath = Aftermath()
    aftermath.begins(helios)
    judge(helios, customer, sent.runs)
    aftermath.judge(helios)

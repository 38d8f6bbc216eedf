"""Workers are killed: in the middle of a run, with everything they had, at any point, and at every attempt."""

from __future__ import annotations

import random
import signal
import time

import pytest

from tests.chaos.customer import Customer, recordings, spoken_recording
from tests.chaos.installation import Installation, kill, wait_for
from tests.chaos.sizes import MAX_ATTEMPTS
from tests.chaos.verdict import CLAIMED_SECONDS, Aftermath, judge

pytestmark = pytest.mark.chaos


def kill_children(helios: Installation) -> None:
    for pid in helios.pool_children():
        kill(pid)


def kill_worker(helios: Installation) -> None:
    before = helios.pid("worker")
    helios.kill_whole("worker")
    helios.await_restart("worker", before)


def await_claim(helios: Installation) -> None:
    wait_for(helios.claimed, 60.0, "a worker to claim a run", helios.report)


def await_end(helios: Installation, run_id: str, seconds: float) -> None:
    def ended() -> bool:
        return bool(helios.query("SELECT 1 FROM model_runs_modelrun WHERE id = %s AND status <> 'RUNNING'", run_id))

    wait_for(ended, seconds, "the end of the run", helios.report)


def test_runs_survive_the_death_of_pool_children(helios: Installation, customer: Customer) -> None:
    aftermath = Aftermath()
    with customer.sending(recordings("pool children killed"), per_second=8) as sent:
        for _ in range(2):
            await_claim(helios)
            kill_children(helios)
            aftermath.begins(helios)
            time.sleep(3.0)
    judge(helios, customer, sent.runs)
    aftermath.judge(helios)


def test_runs_survive_the_death_of_the_whole_worker(helios: Installation, customer: Customer) -> None:
    aftermath = Aftermath()
    with customer.sending(recordings("whole worker killed"), per_second=6) as sent:
        for _ in range(2):
            await_claim(helios)
            kill_worker(helios)
            aftermath.begins(helios)
    judge(helios, customer, sent.runs)
    aftermath.judge(helios)


def test_line_89_a_worker_killed_at_any_point_neither_loses_a_run_nor_finishes_one_twice(
    helios: Installation, customer: Customer
) -> None:
    source = random.Random(89)
    with customer.sending(recordings("worker killed at any point"), per_second=4) as sent:
        for number in range(8):
            time.sleep(source.uniform(0.2, 4.0))
            if number % 4 == 3:
                kill_worker(helios)
            elif alive_now := helios.pool_children():
                kill(source.choice(alive_now))
    judge(helios, customer, sent.runs, may_fail=True)


def test_line_65_a_run_whose_worker_dies_at_every_attempt_ends_in_err_internal(
    helios: Installation, customer: Customer
) -> None:
    run_id = customer.send(spoken_recording(random.Random(65)))
    state = "SELECT status, attempt, lease_expires_at FROM model_runs_modelrun WHERE id = %s"
    for attempt in range(1, MAX_ATTEMPTS + 1):

        def claimed(attempt: int = attempt) -> bool:
            row = helios.query(state, run_id)[0]
            return row["attempt"] == attempt and row["lease_expires_at"] is not None

        wait_for(claimed, CLAIMED_SECONDS, f"attempt {attempt}", helios.report)
        assert customer.read(run_id)["status"] == "RUNNING"
        kill_children(helios)
    await_end(helios, run_id, CLAIMED_SECONDS)
    run = customer.read(run_id)
    assert (run["status"], run["errorCode"], run["results"]) == ("COMPLETE_ERROR", "ERR_INTERNAL", None)
    assert "3 attempts" in run["errorReason"]
    ends = helios.query(
        "SELECT action, reason FROM accounts_auditevent WHERE object_id = %s"
        " AND action IN ('model_run.completed', 'model_run.failed')",
        run_id,
    )
    assert ends == [{"action": "model_run.failed", "reason": "ERR_INTERNAL"}]
    time.sleep(2.0)
    assert customer.read(run_id) == run
    assert helios.query(state, run_id)[0]["attempt"] == MAX_ATTEMPTS


def test_a_hung_child_is_ended_by_the_time_limit_and_its_run_by_another(
    helios: Installation, customer: Customer
) -> None:
    run_id = customer.send(spoken_recording(random.Random(7)))
    await_claim(helios)
    hung = helios.pool_children()
    for pid in hung:
        kill(pid, signal.SIGSTOP)
    await_end(helios, run_id, 2 * CLAIMED_SECONDS)
    assert customer.read(run_id)["status"] == "COMPLETE_OK"
    assert helios.query("SELECT attempt FROM model_runs_modelrun WHERE id = %s", run_id) == [{"attempt": 2}]
    # The child that had nothing to do still sleeps.
    for pid in hung:
        kill(pid, signal.SIGCONT)
    helios.await_services()

"""The whole installation stops politely, or loses its power, with runs in every state; and starts again."""

from __future__ import annotations

import signal
import time

import pytest

from tests.chaos.customer import Customer, recordings
from tests.chaos.installation import Installation, alive, kill, wait_for
from tests.chaos.sizes import SIZES
from tests.chaos.verdict import Aftermath, judge

pytestmark = pytest.mark.chaos


def test_sigterm_lets_running_jobs_finish_and_leaves_no_process(helios: Installation, customer: Customer) -> None:
    with customer.sending(recordings("drained and started again"), per_second=12) as sent:
        wait_for(lambda: len(helios.claimed()) == 2, 60.0, "both workers to be busy", helios.report)
        processes = helios.everything()
        helios.ask_to_stop()
        assert helios.await_stop() == 0
        assert not {pid for pid in processes if alive(pid)}
        helios.start()
    judge(helios, customer, sent.runs)
    attempts = helios.query(
        "SELECT max(attempt) AS most FROM model_runs_modelrun WHERE id = ANY(%s::uuid[])", list(sent.runs)
    )
    assert attempts == [{"most": 1}], "The drain cut a running job off."


def test_runs_survive_a_power_cut(helios: Installation, customer: Customer) -> None:
    aftermath = Aftermath()
    with customer.sending(recordings("power cut"), per_second=10) as sent:
        wait_for(helios.claimed, 60.0, "a worker to claim a run", helios.report)
        time.sleep(1.0)
        processes = helios.freeze()
        for pid in processes:
            kill(pid)
        assert helios.await_stop() == -signal.SIGKILL
        wait_for(lambda: not any(alive(pid) for pid in processes), 30.0, "all processes to be gone", helios.report)
        helios.start()
        helios.await_services()
        aftermath.begins(helios)
    judge(helios, customer, sent.runs)
    aftermath.judge(helios)


def test_over_five_hundred_runs_are_sent_and_thirty_of_them_carry_speech() -> None:
    assert sum(refused + spoken for refused, spoken in SIZES.values()) > 500
    assert sum(spoken for _, spoken in SIZES.values()) >= 30

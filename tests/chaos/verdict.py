"""What must hold whatever was killed: every run ends, once, as its recording deserves, and in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.chaos.customer import TERMINAL, Customer, Recording
from tests.chaos.installation import Installation, wait_for
from tests.chaos.sizes import LEASE_SECONDS, MAX_ATTEMPTS

# A run whose worker died waits for its lease to lapse, for the sweeper's next tick, and for its execution.
CLAIMED_SECONDS = LEASE_SECONDS + 15.0
# A run whose message was lost waits until the sweeper rings again (30 s, then 60 s).
END_SECONDS = 120.0

Runs = dict[str, Recording]


class Aftermath:
    """When the runs that were in a worker's hands, or in a dead worker's, must have ended."""

    def __init__(self) -> None:
        self._due: dict[str, datetime] = {}

    def begins(self, helios: Installation) -> None:
        """To be called the moment that all services are back."""
        due = datetime.now(UTC) + timedelta(seconds=CLAIMED_SECONDS)
        self._due |= dict.fromkeys(helios.claimed(), due)

    def judge(self, helios: Installation) -> None:
        """Call it once all runs have ended."""
        rows = helios.query(
            "SELECT id, completed_at, attempt FROM model_runs_modelrun WHERE id = ANY(%s::uuid[])", list(self._due)
        )
        late = [row for row in rows if row["completed_at"] is None or row["completed_at"] > self._due[str(row["id"])]]
        assert not late, f"In RUNNING later than lease + 15 s after the services were back: {late}\n{helios.report()}"


def await_end(helios: Installation, runs: Runs) -> None:
    wait_for(lambda: not _unfinished(helios, list(runs)), END_SECONDS, "all runs to end", helios.report)


def _unfinished(helios: Installation, ids: list[str]) -> list[str]:
    rows = helios.query("SELECT id, status FROM model_runs_modelrun WHERE id = ANY(%s::uuid[])", ids)
    known = {str(row["id"]) for row in rows}
    lost = set(ids) - known
    assert not lost, f"These runs are not in the database: {lost}"
    return [str(row["id"]) for row in rows if row["status"] not in TERMINAL]


def judge(helios: Installation, customer: Customer, runs: Runs, *, may_fail: bool = False) -> None:
    """Wait for the end of all `runs` and check each. `may_fail`: so much was killed that one run may have lost all
    its attempts; only such a run may end in ERR_INTERNAL."""
    await_end(helios, runs)
    shown = customer.read_all()
    lost = set(runs) - set(shown)
    assert not lost, f"The API does not show {lost}"
    attempts = _attempts(helios, list(runs))
    wrong = []
    for run_id, recording in runs.items():
        run = shown[run_id]
        outcome = run["errorCode"] or run["status"]
        spent = may_fail and outcome == "ERR_INTERNAL" and attempts[run_id] == MAX_ATTEMPTS
        if outcome != recording.outcome and not spent:
            wrong.append(f"{run_id}: {outcome} instead of {recording.outcome}, {attempts[run_id]} attempts")
        assert (run["results"] is not None) == (run["status"] == "COMPLETE_OK"), run
        assert run["completedAt"] is not None, run
    assert not wrong, "\n".join([*wrong, helios.report()])
    _assert_ended_once(helios, shown)
    assert customer.read_all() == shown, "A finished run changed."


def _attempts(helios: Installation, ids: list[str]) -> dict[str, int]:
    rows = helios.query("SELECT id, attempt FROM model_runs_modelrun WHERE id = ANY(%s::uuid[])", ids)
    return {str(row["id"]): row["attempt"] for row in rows}


def _assert_ended_once(helios: Installation, shown: dict[str, dict[str, object]]) -> None:
    """The audit trail holds one end for each run, of the kind that the run shows."""
    rows = helios.query(
        "SELECT object_id, array_agg(action) AS ends FROM accounts_auditevent"
        " WHERE action IN ('model_run.completed', 'model_run.failed') AND object_id = ANY(%s) GROUP BY object_id",
        list(shown),
    )
    ends = {row["object_id"]: row["ends"] for row in rows}
    expected = {
        run_id: ["model_run.completed" if run["status"] == "COMPLETE_OK" else "model_run.failed"]
        for run_id, run in shown.items()
        if run["status"] != "CREATED"  # a create whose answer was lost: its caller sent no recording
    }
    assert ends == expected

"""How long an idle worker takes to start a run, and how long a client waits for the result of 30 seconds of speech.

    python -m benchmarks.queue [--runs 200]

Starts a whole Helios of its own and sends recordings over HTTP, one at a time. From enqueued to started is from the
moment that the upload's transaction notes (`runAt`, before its commit) to the worker's claim, both in the run's row.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time

from tests import audio
from tests.chaos.customer import Customer, Recording
from tests.chaos.installation import Installation, installation

WARM_UP = 10
SPEECH_SECONDS = 30.0


def starts(helios: Installation, customer: Customer, runs: int) -> list[float]:
    """Milliseconds from enqueued to claimed of each of `runs` runs, each sent when the one before has ended."""
    source = random.Random(1)
    ids = []
    for _ in range(WARM_UP + runs):
        ids.append(customer.send(Recording(source.randbytes(1000), "ERR_RECORDING_INVALID_FORMAT")))
        wait_for_end(helios, ids[-1])
        time.sleep(source.uniform(0.0, 0.05))
    rows = helios.query(
        "SELECT extract(epoch FROM first_claimed_at - enqueued_at)::float8 * 1000 AS waited"
        " FROM model_runs_modelrun WHERE id = ANY(%s::uuid[])",
        ids[WARM_UP:],
    )
    return sorted(row["waited"] for row in rows)


def wait_for_end(helios: Installation, run_id: str) -> str:
    while True:
        row = helios.query("SELECT status FROM model_runs_modelrun WHERE id = %s", run_id)[0]
        if row["status"] != "RUNNING":
            return str(row["status"])
        time.sleep(0.02)


def upload_to_result(helios: Installation, customer: Customer) -> float:
    """Seconds from the answer to the upload of 30 s of speech to its result."""
    run_id = customer.send(Recording(audio.encode(audio.speech(SPEECH_SECONDS)), "COMPLETE_OK"))
    uploaded = time.monotonic()
    assert wait_for_end(helios, run_id) == "COMPLETE_OK"
    return time.monotonic() - uploaded


def main() -> None:
    parser = argparse.ArgumentParser(description="How long runs wait.")
    parser.add_argument("--runs", type=int, default=200, help="short runs to send (default: %(default)s)")
    options = parser.parse_args()
    with installation({"HELIOS_RATE_LIMIT": "100000/60"}) as helios:
        helios.await_services()
        customer = Customer(helios.url, helios.issue_key("Benchmark"))
        waited = starts(helios, customer, options.runs)
        p95 = waited[int(0.95 * len(waited))]
        p50 = statistics.median(waited)
        print(f"enqueued to started, idle worker, {len(waited)} runs: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
        results = [upload_to_result(helios, customer) for _ in range(3)]
        print(f"30 s recording, upload to result: {', '.join(f'{seconds:.1f}' for seconds in results)} s")


if __name__ == "__main__":
    main()

"""The memory of a worker's child while it executes the longest recording, with every model loaded.

    python -m benchmarks.memory

Starts a whole Helios of its own and sends 180 s of speech over HTTP. Peak is the kernel's own high-water mark of the
child (VmHWM). Shared and private are sampled every 50 ms from smaps_rollup: shared pages are the weights and the code
that the child has from its parent, so that each further child costs the private part only. Decoders are processes of
their own, which live for a second or two; their sum is shown beside.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

from tests import audio
from tests.chaos.customer import Customer, Recording
from tests.chaos.installation import Installation, descendants, installation

SECONDS = 180.0
REPEAT = 2


def kilobytes(path: str) -> dict[str, int]:
    """The `Name: N kB` lines of a file in /proc, empty when the process is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return {
            name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", Path(path).read_text(), re.MULTILINE)
        }
    return {}


def peak_memory(pid: int) -> float:
    """Megabytes, since the process began or since `forget_peak`."""
    return kilobytes(f"/proc/{pid}/status")["VmHWM"] / 1024


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def watch(helios: Installation, run_id: str, child: int) -> Iterator[tuple[int, int, int]]:
    """Kilobytes of the child that are shared, that are its own, and that its decoder takes; until the run ends."""
    while helios.query("SELECT 1 FROM model_runs_modelrun WHERE id = %s AND status = 'RUNNING'", run_id):
        sizes = kilobytes(f"/proc/{child}/smaps_rollup")
        decoders = sum(kilobytes(f"/proc/{pid}/status").get("VmRSS", 0) for pid in descendants(child))
        yield (
            sizes["Shared_Clean"] + sizes["Shared_Dirty"],
            sizes["Private_Clean"] + sizes["Private_Dirty"],
            decoders,
        )
        time.sleep(0.05)


def main() -> None:
    content = audio.encode(audio.speech(SECONDS))
    with installation({}, workers=1) as helios:
        helios.await_services()
        customer = Customer(helios.url, helios.issue_key("Benchmark"))
        (child,) = helios.pool_children()
        print(f"worker child before its first run: peak {peak_memory(child):.0f} MB")
        for number in range(1, REPEAT + 1):
            run_id = customer.send(Recording(content, "COMPLETE_OK"))
            samples = list(watch(helios, run_id, child))
            assert customer.read(run_id)["status"] == "COMPLETE_OK"
            shared, private = max(((shared, private) for shared, private, _ in samples), key=sum)
            print(
                f"after run {number} of {SECONDS:.0f} s: peak {peak_memory(child):.0f} MB"
                f" (at the largest sample {shared / 1024:.0f} MB shared, {private / 1024:.0f} MB private);"
                f" decoder up to {max(decoder for *_, decoder in samples) / 1024:.0f} MB"
            )


if __name__ == "__main__":
    main()

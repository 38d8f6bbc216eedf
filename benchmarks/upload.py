"""How much a large upload raises the memory of the web process.

    python -m benchmarks.upload [--megabytes 100]

Starts a whole Helios of its own and sends recordings of 1 MB first, so that everything is loaded. The rise is the
kernel's high-water mark of the process that answers requests (VmHWM) above what it held before.
"""

from __future__ import annotations

import argparse
import random
from concurrent.futures import ThreadPoolExecutor

from benchmarks.memory import forget_peak, kilobytes, peak_memory
from tests.chaos.customer import Customer, Recording
from tests.chaos.installation import children, installation

MEGABYTE = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description="The memory of the web process during uploads.")
    parser.add_argument("--megabytes", type=int, default=100, help="size of one upload (default: %(default)s)")
    options = parser.parse_args()
    source = random.Random(1)
    small = Recording(source.randbytes(MEGABYTE), "ERR_RECORDING_INVALID_FORMAT")
    large = Recording(source.randbytes(MEGABYTE) * options.megabytes, "ERR_RECORDING_INVALID_FORMAT")
    with installation({}, workers=1) as helios, ThreadPoolExecutor(4) as clients:
        customer = Customer(helios.url, helios.issue_key("Benchmark"))
        (web,) = children(helios.pid("web"))
        for uploads in (1, 4):
            list(clients.map(customer.send, [small] * uploads))
            forget_peak(web)
            before = kilobytes(f"/proc/{web}/status")["VmRSS"] / 1024
            list(clients.map(customer.send, [large] * uploads))
            rise = peak_memory(web) - before
            print(f"{uploads} upload(s) of {options.megabytes} MB at once: {before:.0f} MB, rises by {rise:.1f} MB")


if __name__ == "__main__":
    main()

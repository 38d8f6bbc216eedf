"""Settings of the test run; a pytest plugin (`-p`), since it must be read before Django's settings are.

Each parallel test process has a database, a Valkey database and a recordings folder of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from helios_site.runtime import datadir


def _keep_away() -> None:
    """Without a data directory of its own, a test run must not find that of an installation on this machine."""
    if "HELIOS_DATA_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="helios-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["HELIOS_DATA_DIR"] = folder


def _isolate(worker: str) -> None:
    folder = datadir.data_dir(os.environ)
    number = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
    redis_url = datadir.server_urls(folder).redis_url
    # Assigned, not defaulted: a parallel process inherits what the first one set for itself.
    os.environ["REDIS_URL"] = redis_url.replace("db=0", f"db={2 + number}")
    os.environ["HELIOS_RECORDINGS_DIR"] = str(Path(folder) / f"recordings-{number}")
    os.environ.setdefault("HELIOS_LOG_LEVEL", "WARNING")


_keep_away()
_isolate(os.environ.get("PYTEST_XDIST_WORKER", ""))

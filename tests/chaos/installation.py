"""A whole Helios: real processes under `manage.py up`, on a data directory of their own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis
from celery import Celery
from kombu.exceptions import OperationalError
from psycopg.rows import dict_row

from helios_site.runtime import datadir, logfiles
from helios_site.runtime.datadir import CHECKOUT

START_SECONDS = 90.0
BACK_SECONDS = 60.0
STOP_SECONDS = 60.0

Row = dict[str, Any]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A data directory that is gone afterwards. Not one of pytest's: the servers' user must be able to pass through
    it when this runs as root."""
    folder = Path(tempfile.mkdtemp(prefix="helios-"))
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def installation(settings: Mapping[str, str], workers: int = 2) -> Iterator[Installation]:
    """A running installation, stopped afterwards; a stop that is not clean is an error."""
    with temporary_folder() as folder:
        helios = Installation(folder, settings, workers)
        helios.start()
        try:
            yield helios
        finally:
            processes = helios.everything() if helios.running else set()
            helios.ask_to_stop()
            code = helios.await_stop()
        left = {pid for pid in processes if alive(pid)}
        assert (code, left) == (0, set()), helios.lines


class Installation:
    """Start and stop it, find and kill its processes, look into its database and its broker."""

    def __init__(self, folder: Path, settings: Mapping[str, str], workers: int = 2) -> None:
        self.folder = folder
        self.url = ""
        self.lines: list[str] = []  # what the supervisor said
        self._port, self._workers = 0, workers
        self._up: subprocess.Popen[str] | None = None
        self._environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HELIOS_") and name not in ("DATABASE_URL", "REDIS_URL")
        } | dict(settings) | {"HELIOS_DATA_DIR": str(folder)}  # fmt: skip

    # -- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """`manage.py up`, on the same port each time; returns once it says that it is ready."""
        command = [sys.executable, "manage.py", "up", "--port", str(self._port), "--workers", str(self._workers)]
        said: queue.Queue[str] = queue.Queue()
        self._up = subprocess.Popen(
            command, cwd=CHECKOUT, env=self._environ, text=True, bufsize=1,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._listen, args=(self._up, said), daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                line = said.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"Helios did not start.\n{self.report()}") from None
            if found := re.search(r"Helios is ready at (\S+:(\d+))", line):
                self.url, self._port = found[1], int(found[2])
                return
            assert line, f"Helios ended while starting.\n{self.report()}"

    def _listen(self, up: subprocess.Popen[str], said: queue.Queue[str]) -> None:
        """Take what the supervisor says; an empty line marks its end."""
        assert up.stdout is not None
        with up.stdout:
            for line in up.stdout:
                self.lines.append(line.rstrip())
                said.put(line)
        said.put("")

    def ask_to_stop(self) -> None:
        assert self._up is not None
        self._up.send_signal(signal.SIGTERM)

    def await_stop(self) -> int:
        """The supervisor's exit code."""
        assert self._up is not None
        return self._up.wait(STOP_SECONDS)

    @property
    def running(self) -> bool:
        return self._up is not None and self._up.poll() is None

    def command(self, *arguments: str) -> str:
        """Standard output of a management command on the same data directory."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT, env=self._environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def issue_key(self, organization: str) -> str:
        """The raw key of a new organisation, with every scope."""
        return self.command("issue_key", "--organization", organization, "--name", "key").strip()

    # -- processes --------------------------------------------------------------------------------------

    def pid(self, name: str) -> int:
        """Process id of `supervisor`, `postgres`, `valkey`, `web`, `worker`, `housekeeping` or `beat`."""
        known: dict[str, dict[str, int]] = json.loads((self.folder / "run" / "processes.json").read_text())
        return known[name]["pid"]

    def pool_children(self) -> list[int]:
        """The worker's children, which execute the runs."""
        return children(self.pid("worker"))

    def everything(self) -> set[int]:
        """Every process of the installation, from the supervisor down."""
        top = self.pid("supervisor")
        return {top, *descendants(top)}

    def freeze(self) -> list[int]:
        """Stop every process where it is and return them all, children before their parents. Killed one after another
        while they run, a program would see its child die and start another, which no power cut leaves behind; and the
        kernel wakes a stopped process again whose parent is gone."""
        frozen: set[int] = set()
        while new := self.everything() - frozen:
            for pid in new:
                kill(pid, signal.SIGSTOP)
            frozen |= new
        return sorted(frozen, reverse=True)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal one of the supervised programs; the supervisor will start it again."""
        os.kill(self.pid(name), number)

    def kill_whole(self, name: str) -> None:
        """`kill -9` for a program and all its children, the leader last so that it notices nothing."""
        leader = self.pid(name)
        for pid in (*descendants(leader), leader):
            kill(pid)

    def await_restart(self, name: str, before: int) -> None:
        """Return once another process than `before` does the work of `name`, and all of Helios answers."""
        wait_for(lambda: self._is_another(name, before), BACK_SECONDS, f"{name} to start again", self.report)
        self.await_services()

    def _is_another(self, name: str, before: int) -> bool:
        pid = self.pid(name)
        return pid != before and alive(pid)

    def await_services(self) -> None:
        """Return once /readyz answers 200 and both workers answer a ping over the broker."""
        wait_for(self._ready, BACK_SECONDS, "/readyz", self.report)
        wait_for(self._workers_answer, BACK_SECONDS, "both workers to answer", self.report)

    def _ready(self) -> bool:
        host, port = self.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _workers_answer(self) -> bool:
        app = Celery(broker=datadir.server_urls(self.folder).broker_url, set_as_current=False)
        try:
            answers = app.control.broadcast("ping", reply=True, limit=2, timeout=2) or []
        except (OSError, redis.RedisError, OperationalError):
            return False
        finally:
            app.close()
        return {name.partition("@")[0] for answer in answers for name in answer} == {"runs", "housekeeping"}

    # -- what is stored ---------------------------------------------------------------------------------

    def query(self, statement: str, *values: object) -> list[Row]:
        url = datadir.server_urls(self.folder).database_url
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            return connection.cursor(row_factory=dict_row).execute(statement, values).fetchall()

    def postgres_answers(self) -> bool:
        try:
            return bool(self.query("SELECT 1"))
        except psycopg.Error:
            return False

    def valkey(self, database: int) -> redis.Redis:
        """0 holds limits and metrics, 1 the queues."""
        url = datadir.server_urls(self.folder).redis_url
        return redis.Redis.from_url(url.replace("db=0", f"db={database}"))

    def claimed(self) -> list[str]:
        """The runs that a worker holds, or held when it died."""
        rows = self.query(
            "SELECT id FROM model_runs_modelrun WHERE status = 'RUNNING' AND lease_expires_at IS NOT NULL"
        )
        return [str(row["id"]) for row in rows]

    def report(self) -> str:
        """Everything that a person needs to find out why a run did not end."""
        parts = ["The supervisor said:", *(f"    {line}" for line in self.lines[-20:])]
        try:
            rows = self.query(
                "SELECT id, status, attempt, enqueue_count, now() - enqueued_at AS since_bell,"
                " lease_expires_at - now() AS lease_left, now() - first_claimed_at AS since_claim"
                " FROM model_runs_modelrun WHERE status IN ('CREATED', 'RUNNING') ORDER BY run_at LIMIT 40"
            )
            parts += ["Runs that have not ended:", *(f"    {row}" for row in rows)]
        except psycopg.Error as error:
            parts.append(f"PostgreSQL does not answer: {error}")
        try:
            with self.valkey(1) as broker:
                parts.append(f"The broker holds: {sorted(broker.scan_iter())}")
        except redis.RedisError as error:
            parts.append(f"Valkey does not answer: {error}")
        for log in sorted((self.folder / "logs").glob("*.log")):
            parts += [f"{log.name} ends with:", logfiles.last_lines(log)]
        return "\n".join(parts)


def wait_for(true: Callable[[], object], seconds: float, what: str, report: Callable[[], str]) -> None:
    """Poll until `true`; after `seconds` fail with the report."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds:.0f} s for {what}.\n{report()}")
        time.sleep(0.1)


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself a moment ago
        os.kill(pid, number)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    return [child for child, parent in _parents().items() if parent == pid]


def descendants(pid: int) -> list[int]:
    """Deepest first."""
    parents = _parents()

    def below(parent: int) -> Iterator[int]:
        for child in (child for child, its in parents.items() if its == parent):
            yield from below(child)
            yield child

    return list(below(pid))


def _parents() -> dict[int, int]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found

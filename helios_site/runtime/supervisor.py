"""Every process of one Helios under one supervisor: started in order, started again after a crash, drained at
the end, and gone when the supervisor is gone, however it went."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from helios_site.runtime import datadir, guard, logfiles, migrating
from helios_site.runtime.datadir import CHECKOUT, DataDirError
from helios_site.runtime.listening import ReadinessProbe, base_url, listen
from helios_site.runtime.plan import Options, clock_programs, serving_programs
from helios_site.runtime.postgres import PostgresServer
from helios_site.runtime.server_process import ServerError
from helios_site.runtime.servers import lay_out
from helios_site.runtime.valkey import ValkeyServer
from helios_site.runtime.watched import ORPHAN_GRACE_SECONDS, Program, WatchedProgram, await_watchers

READY_SECONDS = 90.0  # a first start on a slow disk takes 15
DRAIN_SECONDS = 30.0  # then a running job goes back to the queue
QUIT_SECONDS = 5.0
FIRST_RESTART_SECONDS = 0.5
SLOWEST_RESTART_SECONDS = 30.0
HOPELESS_FAILURES = 4
STABLE_SECONDS = 60.0  # a service that ran this long starts again without delay
LOG_CHECK_SECONDS = 30.0


class StartError(Exception):
    """Helios did not come up; the message is for the operator."""


class Service(Protocol):
    name: str
    log: Path
    process: subprocess.Popen[bytes] | None

    def start(self) -> None: ...


@dataclass(slots=True)
class Kept:
    """A service and what its restarts need to know: when it was started and when it is due again, in monotonic
    seconds, and how often in a row it ended soon."""

    service: Service
    started: float
    due: float | None = None
    failures: int = 0

    def failed(self, now: float) -> float:
        """Plan the next start after an end; the seconds until then."""
        self.failures = 1 if now - self.started > STABLE_SECONDS else self.failures + 1
        delay = min(FIRST_RESTART_SECONDS * 2.0 ** (self.failures - 1), SLOWEST_RESTART_SECONDS)
        self.due = now + delay
        return delay


class Supervisor:
    """Runs in the main thread. `say` receives the lines for the terminal; `on_ready` is called with the URL,
    in a thread of its own, once Helios is ready."""

    def __init__(
        self,
        options: Options,
        environ: Mapping[str, str],
        *,
        say: Callable[[str], None],
        on_ready: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = datadir.data_dir(environ)
        self._options = options
        self._environ = dict(environ)
        self._say = say
        self._on_ready = on_ready
        self._servers: list[PostgresServer | ValkeyServer] = []
        self._programs: list[WatchedProgram] = []
        self._kept: list[Kept] = []
        self._stops_asked = 0
        self._exit_code = 0
        self._wake_reader, self._wake_writer = socket.socketpair()

    @property
    def stopping(self) -> bool:
        return self._stops_asked > 0

    def hopeless(self) -> str | None:
        """The name of a service that ended again and again, if one did; may be called from any thread."""
        return next((kept.service.name for kept in self._kept if kept.failures >= HOPELESS_FAILURES), None)

    def request_stop(self, exit_code: int = 0) -> None:
        """Drain and end with `exit_code`; may be called from any thread."""
        self._exit_code = exit_code
        if not self.stopping:
            self._stops_asked = 1
            self._wake_writer.send(b"\0")

    def run(self) -> int:
        """Start, serve until asked to stop, drain; the exit code. Raises DataDirError or PortError, one line
        each, before anything is started."""
        with ExitStack() as stack:
            stack.enter_context(datadir.hold(self.folder))
            await_watchers(self.folder, ORPHAN_GRACE_SECONDS + 5.0)
            listener = stack.enter_context(listen(self._options.host, self._options.port))
            stack.enter_context(self._signals())
            try:
                self._bring_up(listener)
                self._serve()
            except (StartError, ServerError, DataDirError) as error:
                self._say(str(error))
                self._exit_code = 1
            finally:
                listener.close()
                self._drain()
                self._wake_reader.close()
                self._wake_writer.close()
        return self._exit_code

    # -- starting -------------------------------------------------------------------------------------

    def _bring_up(self, listener: socket.socket) -> None:
        port = listener.getsockname()[1]
        url = self._environ.get("HELIOS_PUBLIC_BASE_URL") or base_url(self._options.host, port)
        self._environ |= {
            "HELIOS_DATA_DIR": str(self.folder),
            "HELIOS_PUBLIC_BASE_URL": url,
            "PYTHONUNBUFFERED": "1",
        }
        logs = self.folder / "logs"
        self._say(f"Helios keeps its data in {self.folder}, and the logs of its processes in {logs}.")
        self._start_servers()
        self._migrate(logs)
        self._start_programs(serving_programs(self._options, listener.fileno()), logs)
        self._await_ready(port)
        # They have nothing to do in the first seconds, and would take the processor from those that have.
        self._start_programs(clock_programs(self.folder), logs)
        if not self.stopping:
            self._say(f"Helios is ready at {url}")
            if self._on_ready is not None:
                threading.Thread(target=self._on_ready, args=(url,), daemon=True).start()

    def _start_programs(self, programs: Iterable[Program], logs: Path) -> None:
        for program in programs:
            if not self.stopping:
                watched = WatchedProgram(program, cwd=CHECKOUT, environ=self._environ, logs=logs)
                self._programs.append(watched)
                self._start(watched)

    def _start_servers(self) -> None:
        user = lay_out(self.folder)
        if not self._environ.get("DATABASE_URL"):
            self._servers.append(PostgresServer(self.folder, user))
        if not self._environ.get("REDIS_URL"):
            self._servers.append(ValkeyServer(self.folder, user))
        if self._servers and not self.stopping:
            self._say(f"Starting {' and '.join(server.title for server in self._servers)}.")
            for server in self._servers:
                self._start(server)
            for server in self._servers:
                server.wait_ready()

    def _migrate(self, logs: Path) -> None:
        if self.stopping:
            return
        self._say("Bringing the database up to date.")
        log = logs / "migrate.log"
        process = migrating.start(log)
        while process.is_alive():
            self._pause(1.0)
            if self.stopping:
                process.terminate()  # each migration is a transaction
        if process.exitcode != 0 and not self.stopping:
            raise StartError(f"The migrations failed; {log} ends with\n{logfiles.last_lines(log)}")

    def _start(self, service: Service) -> None:
        service.start()
        self._kept.append(Kept(service, time.monotonic()))
        self._record()

    def _await_ready(self, port: int) -> None:
        if self.stopping:
            return
        probe, text = ReadinessProbe(self._options.host, port), "no answer yet"
        deadline = time.monotonic() + READY_SECONDS
        try:
            while not self.stopping:
                for kept in self._kept:
                    if (process := kept.service.process) is not None and process.poll() is not None:
                        name, log = kept.service.name, kept.service.log
                        raise StartError(f"{name} did not start; {log} ends with\n{logfiles.last_lines(log)}")
                if time.monotonic() > deadline:
                    raise StartError(f"Helios is not ready after {READY_SECONDS:.0f} s: {text}")
                if self._pause(1.0, probe):
                    ready, text = probe.answer()
                    if ready:
                        return
                    self._pause(0.2)
        finally:
            probe.close()

    # -- serving --------------------------------------------------------------------------------------

    def _serve(self) -> None:
        logs_due = 0.0
        while not self.stopping:
            now = time.monotonic()
            for kept in self._kept:
                self._keep(kept, now)
            if now >= logs_due:
                logfiles.bound(self.folder / "logs")
                logs_due = now + LOG_CHECK_SECONDS
            self._pause(min([logs_due, *(kept.due for kept in self._kept if kept.due is not None)]) - now)

    def _keep(self, kept: Kept, now: float) -> None:
        """Notice the end of a service, and start it again when its time has come."""
        service = kept.service
        if kept.due is None and service.process is not None and service.process.poll() is not None:
            how, delay = _describe(service.process.returncode), kept.failed(now)
            self._say(f"{service.name} ended ({how}) and starts again in {delay:g} s. See {service.log}.")
        elif kept.due is not None and now >= kept.due:
            kept.started = now
            try:
                service.start()
            except (ServerError, DataDirError, OSError) as error:
                self._say(f"{service.name} cannot be started: {error}")
                kept.failed(now)
            else:
                kept.due = None
                self._record()

    def _record(self) -> None:
        """`run/processes.json`: who is who, for operators and for tests that kill."""
        processes = {
            kept.service.name: {"pid": getattr(kept.service, "leader", None) or kept.service.process.pid}
            for kept in self._kept
            if kept.service.process is not None
        }
        path = self.folder / "run" / "processes.json"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"supervisor": {"pid": os.getpid()}, **processes}, indent=2) + "\n")
        new.replace(path)

    # -- stopping -------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Ask everything to finish, wait a bounded time, then insist; the servers go last.

        Another Ctrl-C ends the waiting."""
        if self._programs:
            self._say("Stopping; running jobs may finish. Press Ctrl-C again to stop at once.")
        for message, seconds in ((guard.STOP, DRAIN_SECONDS), (guard.QUIT, QUIT_SECONDS), (guard.KILL, 10.0)):
            for program in self._programs:
                program.ask(message)
            self._await_end(seconds)
        for program in self._programs:
            program.close()
        for server in reversed(self._servers):
            server.stop()
        (self.folder / "run" / "processes.json").unlink(missing_ok=True)

    def _await_end(self, seconds: float) -> None:
        deadline, asked = time.monotonic() + seconds, self._stops_asked
        while any(program.running for program in self._programs) and self._stops_asked == asked:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self._pause(left)

    # -- waiting --------------------------------------------------------------------------------------

    def _pause(self, seconds: float, probe: ReadinessProbe | None = None) -> bool:
        """Wait for a signal, the end of a child, or `probe`; whether the probe has an answer."""
        watched: list[socket.socket | ReadinessProbe] = [self._wake_reader, *([probe] if probe else [])]
        ready = select.select(watched, [], [], max(0.0, seconds))[0]
        if self._wake_reader in ready:
            self._wake_reader.recv(4096)
        return probe in ready

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: object) -> None:
            self._stops_asked += 1

        self._wake_writer.setblocking(False)
        numbers = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup asks to outlive the terminal
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, stop) for number in numbers}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        wake = signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wake)
            for number, handler in before.items():
                signal.signal(number, handler)


def _describe(code: int) -> str:
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number:
        return f"killed by {signal.Signals(number).name}"
    return f"exit code {code}"

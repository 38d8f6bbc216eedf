"""A program under a watcher: it drains on request and is stopped, with all its descendants, if we die."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helios_site.runtime.server_process import GUARD, PYTHON, ServerError

# How long a program may drain once the supervisor is gone. PostgreSQL shuts down at the same moment, so there
# is nothing left to wait for but the program's own tidying up.
ORPHAN_GRACE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: `command[0]` is an absolute path; `descriptors` stay open in it."""

    name: str
    command: tuple[str, ...]
    descriptors: tuple[int, ...] = ()


class WatchedProgram:
    """One program, started again after each end. `process` is its watcher, `leader` the program itself."""

    def __init__(self, program: Program, *, cwd: Path, environ: Mapping[str, str], logs: Path) -> None:
        self.name = program.name
        self.log = logs / f"{program.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.leader: int | None = None
        self._program = program
        self._cwd = cwd
        self._environ = dict(environ)
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start; `leader` is known afterwards. Raises ServerError when even the watcher does not come up."""
        self.close()
        ours, theirs = socket.socketpair()
        arguments = ("watch", str(theirs.fileno()), str(ORPHAN_GRACE_SECONDS), "--", *self._program.command)
        with theirs, self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*PYTHON, str(GUARD), *arguments],
                cwd=self._cwd,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(), *self._program.descriptors),
                start_new_session=True,  # the terminal's Ctrl-C is for the supervisor alone
            )
        self._control = ours
        ours.settimeout(10.0)
        told = ours.recv(32)
        if not told:
            raise ServerError(f"{self.name} could not be started; see {self.log}.")
        self.leader = int(told)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def close(self) -> None:
        """After the watcher's end: forget it, and end what a watcher that was itself killed left behind."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self.process is not None and (self.process.returncode or 0) < 0 and self.leader is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.leader, signal.SIGKILL)

    def ask(self, message: bytes) -> None:
        """Send one of guard's messages (STOP, QUIT, KILL) to the watcher, if it still listens."""
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.sendall(message)


def await_watchers(folder: Path, seconds: float) -> None:
    """Wait until no watcher of an earlier supervisor is left on this data directory.

    A supervisor that was killed leaves its programs to their watchers for a moment, and they hold its port.
    """
    deadline = time.monotonic() + seconds
    while _watchers(folder) and time.monotonic() < deadline:
        time.sleep(0.1)


def _watchers(folder: Path) -> list[int]:
    marker, script = f"HELIOS_DATA_DIR={folder}".encode(), str(GUARD).encode()
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                arguments = Path(entry.path, "cmdline").read_bytes().split(b"\0")
                if script in arguments and marker in Path(entry.path, "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found

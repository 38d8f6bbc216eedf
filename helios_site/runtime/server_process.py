"""What PostgreSQL and Valkey share: starting under the guard, becoming ready, leaving nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from helios_site.runtime.binaries import ServiceUser
from helios_site.runtime.logfiles import last_lines

GUARD = Path(__file__).with_name("guard.py")
PYTHON = (sys.executable, "-I", "-S")


class ServerError(Exception):
    """A server did not start; the message ends with the last lines of its log."""


def guarded(
    program: list[str],
    user: ServiceUser,
    death_signal: signal.Signals,
    cwd: Path,
    log: Path,
    stdin: bytes | None = None,
) -> subprocess.Popen[bytes]:
    """Start `program` as `user` in a session of its own; it gets `death_signal` should this process die.

    Must be called from the main thread: the death signal belongs to the thread that forked. The environment
    is empty but for the path, so that no PG… variable or locale of the caller changes the server.
    """
    owner = (os.getpid(), int(death_signal), user.uid, user.gid)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*PYTHON, str(GUARD), "exec", *map(str, owner), "--", *program],
            cwd=cwd,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    if stdin is not None:
        _feed(process.stdin, stdin)
    return process


def _feed(pipe: IO[bytes] | None, text: bytes) -> None:
    assert pipe is not None
    try:
        pipe.write(text)
        pipe.close()
    except BrokenPipeError:
        pass  # it died at once: the wait for its readiness reports that, with its log


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float, name: str, log: Path
) -> None:
    """Wait for `ready`; raises ServerError when the process ends first or the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise ServerError(f"{name} stopped while starting.\n{last_lines(log)}")
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise ServerError(f"{name} was not ready within {seconds:.0f} s.\n{last_lines(log)}")
        time.sleep(0.01)


def stop(process: subprocess.Popen[bytes], polite: signal.Signals, hurry: signal.Signals, seconds: float) -> None:
    """End a server: the polite signal, after `seconds` the hurrying one, then a kill."""
    for number, patience in ((polite, seconds), (hurry, 5.0), (signal.SIGKILL, 5.0)):
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue


def clear_out(folder: Path, polite: signal.Signals, seconds: float = 20.0) -> None:
    """Wait until no process works in `folder`: one left by a supervisor that was killed is on its way out.

    A server's working directory is its data folder, which identifies it better than a recorded process id
    that the system may have given to somebody else since. What will not go is killed: two servers on one
    data folder would ruin it.
    """
    deadline = time.monotonic() + seconds
    asked = False
    while pids := working_in(folder):
        number = polite if not asked else signal.SIGKILL if time.monotonic() > deadline else None
        for pid in pids if number else ():
            try:
                os.kill(pid, number or 0)
            except ProcessLookupError:
                continue
        asked = True
        time.sleep(0.02)


def working_in(folder: Path) -> list[int]:
    """Processes whose working directory is `folder`."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                if os.readlink(f"/proc/{entry.name}/cwd") == str(folder):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found

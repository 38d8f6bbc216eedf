"""Start a program so that it cannot outlive its supervisor. Run by path, as a program of its own:

    guard.py exec  PARENT SIGNAL UID GID -- PROGRAM…   become PROGRAM, which gets SIGNAL when PARENT dies
    guard.py watch FD GRACE -- PROGRAM…                stay as PROGRAM's watcher

`exec` is for a server that takes its own children along (PostgreSQL, Valkey). A death signal does not reach
grandchildren, so everything else is watched: the watcher adopts whatever PROGRAM leaves behind, and when the
supervisor's end of the socket FD closes, for whatever reason, it stops them all. It imports only the standard
library's smallest parts and runs under `python -I -S`, because there is one watcher for each program.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

STOP, QUIT, KILL = b"T", b"Q", b"K"  # what the supervisor may write to a watcher


def become(parent: int, death_signal: int, uid: int, gid: int, program: list[str]) -> None:
    """Drop to `uid` and `gid`, ask for `death_signal` when `parent` dies, and become `program`."""
    if os.geteuid() == 0 and uid != 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    die_with(parent, death_signal)  # after the change of user, which would clear it
    os.execv(program[0], program)


def watch(control: socket.socket, grace: float, program: list[str]) -> int:
    """Run `program` until it ends or the supervisor is gone; leave no descendant; return its exit code."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.umask(0o077)  # what it writes is for us alone
    control.set_inheritable(False)
    wake = _wake_on(signal.SIGCHLD, signal.SIGTERM)
    leader = _spawn(program)
    control.sendall(b"%d\n" % leader)
    poller = select.poll()
    poller.register(control, select.POLLIN)
    poller.register(wake, select.POLLIN)
    deadline: float | None = None
    while True:
        code = _reap(leader)
        if code is not None:
            _kill_the_rest()
            return code
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if left == 0.0:
            _signal(leader, KILL)
            left = None
        for ready, _event in poller.poll(None if left is None else left * 1000 + 1):
            if ready == wake.fileno():
                if signal.SIGTERM in wake.recv(64):
                    _signal(leader, STOP)
            elif message := _receive(control):
                _signal(leader, message[-1:])
            else:  # the supervisor is gone
                poller.unregister(control)
                _signal(leader, STOP)
                deadline = time.monotonic() + grace


def _spawn(program: list[str]) -> int:
    watcher = os.getpid()
    leader = os.fork()
    if leader == 0:
        os.setpgid(0, 0)  # signals meant for the program's group never reach its watcher
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        die_with(watcher, signal.SIGTERM)
        try:
            os.execv(program[0], program)
        except OSError as error:
            print(f"{program[0]}: {error.strerror}", file=sys.stderr)
        os._exit(127)
    return leader


def _reap(leader: int) -> int | None:
    """Collect every child that has ended, adopted ones too; the leader's exit code once it is among them."""
    found: int | None = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == leader:
            code = os.waitstatus_to_exitcode(status)
            found = code if code >= 0 else 128 - code


def _kill_the_rest() -> None:
    """End what the leader left behind. Orphans are adopted by this process one generation at a time."""
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    me = os.getpid()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == me:
                found.append(int(name))
    return found


def _signal(leader: int, message: bytes) -> None:
    """Only the leader hears a polite signal (it knows how to stop its children); a kill is for the group."""
    with contextlib.suppress(ProcessLookupError):
        if message == KILL:
            os.killpg(leader, signal.SIGKILL)
        else:
            os.kill(leader, signal.SIGQUIT if message == QUIT else signal.SIGTERM)


def _receive(control: socket.socket) -> bytes:
    try:
        return control.recv(64)
    except ConnectionError:
        return b""


def _wake_on(*numbers: int) -> socket.socket:
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    for number in numbers:
        signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    return reader


def die_with(parent: int, death_signal: int) -> None:
    """Ask the kernel for `death_signal` when `parent` dies; end at once if it has died already."""
    _prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit(f"The supervisor {parent} is gone.")


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def main(arguments: list[str]) -> int:
    split = arguments.index("--")
    mode, *values = arguments[:split]
    program = arguments[split + 1 :]
    if mode == "exec":
        parent, death_signal, uid, gid = map(int, values)
        become(parent, death_signal, uid, gid, program)
    return watch(socket.socket(fileno=int(values[0])), float(values[1]), program)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

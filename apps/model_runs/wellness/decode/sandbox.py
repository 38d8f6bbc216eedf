"""Runs a decoder command so that no file can hang, crash or exhaust this process.

The command gets limits on CPU time, address space and open files, cannot write files or gain privileges, inherits no
environment (and so no secret), dies with this process, and is killed at a deadline or as soon as it has written as much
as was asked for.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

_CONFINE = str(Path(__file__).with_name("confine.py"))
_KEEP_ERRORS = 4096  # bytes of the command's messages that are kept
# One malloc arena: each further one reserves 64 MiB of the bounded address space.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}


class DecoderFailed(Exception):
    """The decoder itself is missing, broken or was killed from outside: not the recording's fault, worth a retry."""


@dataclass(frozen=True, slots=True)
class Bounds:
    cpu_seconds: int = 20  # the costliest honest input, 3 minutes of 8 channels at 192 kHz, takes 7
    wall_seconds: float = 40.0
    memory_bytes: int = 768 * 1024 * 1024  # address space; PyAV alone reserves 120 MiB


@dataclass(frozen=True, slots=True)
class Outcome:
    output: NDArray[np.uint8]
    errors: str  # what the command wrote to its standard error, cut
    status: int  # exit status; minus the signal's number when a signal ended it
    full: bool  # stopped by us: the output reached the room that was given
    out_of_time: bool  # stopped by us or by the kernel: deadline or CPU limit


def run(command: Sequence[str], *, room: int, bounds: Bounds) -> Outcome:
    """Runs `command` (absolute path first) and returns at most `room` bytes of its standard output.

    Raises DecoderFailed if it cannot be started or was killed by somebody else.
    """
    deadline = time.monotonic() + bounds.wall_seconds
    limits = (os.getpid(), bounds.cpu_seconds, bounds.memory_bytes)
    # No `preexec_fn`: without it Python starts the child by vfork, at a price that does not grow with our memory.
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", _CONFINE, *map(str, limits), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
        )
    except OSError as error:
        raise DecoderFailed(f"the decoder could not be started: {error}") from error
    with process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            output, errors = _read(process.stdout, process.stderr, room, deadline)
            full = len(output) == room
            late = not full and not _ends(process, deadline)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    status = process.returncode
    if status == -signal.SIGKILL and not (full or late):
        raise DecoderFailed("the decoder was killed from outside")
    return Outcome(output, errors, status, full, late or status == -signal.SIGXCPU)


def _read(stdout: IO[bytes], stderr: IO[bytes], room: int, deadline: float) -> tuple[NDArray[np.uint8], str]:
    """Reads both pipes until both end, `room` is full, or the deadline passes."""
    buffer = np.empty(room, np.uint8)  # pages are taken as they are written
    view, used, errors = buffer.data, 0, b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        selector.register(stderr, selectors.EVENT_READ)
        while selector.get_map() and used < room:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            for key, _ in selector.select(remaining):
                if key.fileobj is stdout:
                    count = os.readv(key.fd, [view[used:]])
                    used += count
                else:
                    piece = os.read(key.fd, _KEEP_ERRORS)
                    count = len(piece)
                    errors = (errors + piece)[:_KEEP_ERRORS]
                if not count:
                    selector.unregister(key.fileobj)
    return buffer[:used], errors.decode("utf-8", "replace")


def _ends(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True

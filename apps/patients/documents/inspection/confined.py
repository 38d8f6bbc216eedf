"""Judges a whole file in a child process, so that no file can hang, crash or exhaust this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from apps.patients.documents.inspection.faults import BY_STATUS, Fault

_CHILD = str(Path(__file__).with_name("child.py"))
# No variable of ours, and so no secret. One malloc arena: each further one reserves 64 MiB of the bounded memory.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}


class CannotCheck(Exception):
    """The child is missing, broken or was killed from outside: not the file's fault, worth a retry."""


@dataclass(frozen=True, slots=True)
class Bounds:
    cpu_seconds: int = 20  # 128 MiB of XML take 7, 48 million pixels of a progressive JPEG 1
    wall_seconds: float = 40.0
    memory_bytes: int = 1 << 30  # address space: such a JPEG takes up to 640 MiB


def fault_of(path: Path, file_type: str, bounds: Bounds = Bounds()) -> Fault | None:
    """What is wrong with the file; None if nothing is. Raises CannotCheck."""
    limits = (os.getpid(), bounds.cpu_seconds, bounds.memory_bytes)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", _CHILD, *map(str, limits), str(path), file_type],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
            timeout=bounds.wall_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Fault.TIME
    except OSError as error:
        raise CannotCheck(f"the child could not be started: {error.strerror}") from error
    status = done.returncode
    if status == 0:
        return None
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status == -signal.SIGXCPU:
        return Fault.TIME
    if status < 0 and status != -signal.SIGKILL:
        return Fault.DAMAGED  # the reader crashed over it
    raise CannotCheck(f"the child ended with {status}")

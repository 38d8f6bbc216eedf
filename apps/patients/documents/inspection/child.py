"""Run as a script: bounds this process for good, then judges one file, and says the result by its exit status alone.

Arguments: pid of the parent, CPU seconds, bytes of address space, file, file type. The bounds are set before anything
but the standard library is imported.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

OPEN_FILES = 32
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
EXIT_UNAVAILABLE = 3  # what judges files cannot be imported


def confine(parent: int, cpu_seconds: int, memory_bytes: int) -> None:
    """Die with the parent, gain no privilege, write no file, and take no more than this."""
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_PDEATHSIG, int(signal.SIGKILL)), (PR_SET_NO_NEW_PRIVS, 1)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # it died before the lines above could tie us to it
        sys.exit(EXIT_UNAVAILABLE)
    bounds = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        resource.setrlimit(kind, (bound, bound))
    # At the first a signal says why; the second cannot be caught.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))


def main(arguments: list[str]) -> int:
    parent, cpu_seconds, memory_bytes = (int(value) for value in arguments[:3])
    path, file_type = arguments[3:]
    confine(parent, cpu_seconds, memory_bytes)
    sys.path.append(str(Path(__file__).resolve().parents[4]))
    try:
        from apps.patients.documents.inspection import whole
        from apps.patients.documents.inspection.faults import Fault, Refused
    except ImportError:
        return EXIT_UNAVAILABLE
    try:
        whole.check(Path(path), file_type)
    except Refused as refused:
        return refused.fault.exit_status
    except MemoryError:
        return Fault.MEMORY.exit_status
    except FileNotFoundError:
        return EXIT_UNAVAILABLE
    except Exception:  # whatever a reader stumbles over
        return Fault.DAMAGED.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

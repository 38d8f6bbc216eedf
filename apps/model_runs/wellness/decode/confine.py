"""Run as a script: bounds this process for good, then becomes the command that was given.

Arguments: pid of the parent, CPU seconds, bytes of address space, command… Kept apart from the server's process so that
the limits are set without running Python between fork and exec there. Imports nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

OPEN_FILES = 32
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38


def main(arguments: list[str]) -> None:
    parent, cpu_seconds, memory_bytes = (int(value) for value in arguments[:3])
    command = arguments[3:]

    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_PDEATHSIG, int(signal.SIGKILL)), (PR_SET_NO_NEW_PRIVS, 1)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # it died before the line above could tie us to it
        sys.exit(1)

    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),  # pipes only: no file can be written
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value + 1 if limit == resource.RLIMIT_CPU else value))
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])

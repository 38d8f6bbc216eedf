"""The migrations, in a fork of this process: it has loaded Django already, which takes a second of a warm start."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.context import ForkProcess
from pathlib import Path

from django.core.management import call_command

from helios_site.runtime import guard


def start(log: Path) -> ForkProcess:
    """Begin to migrate; the exit code of the returned process is 0 once the database is up to date.

    This process must have no thread and no connection of its own yet: a fork would share them.
    """
    process = multiprocessing.get_context("fork").Process(target=_migrate, args=(log, os.getpid()))
    process.start()
    return process


def _migrate(log: Path, supervisor: int) -> None:
    os.setsid()  # the terminal's Ctrl-C is for the supervisor alone
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    guard.die_with(supervisor, signal.SIGTERM)
    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    # `make check` does the system checks; here they would only cost time.
    call_command("migrate", interactive=False, skip_checks=True)

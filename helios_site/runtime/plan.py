"""What runs: the programs of one Helios and their command lines."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from helios_site.runtime.datadir import CHECKOUT
from helios_site.runtime.watched import Program

MANAGE = (sys.executable, str(CHECKOUT / "manage.py"))


@dataclass(frozen=True, slots=True)
class Options:
    """What `manage.py up` takes."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    web_threads: int = 16


def programs(options: Options, folder: Path, listener: int) -> list[Program]:
    """Web, worker, housekeeping and beat, in the order of their start; `listener` is the web server's open
    socket."""
    celery = ("-m", "celery", "-A", "helios_site")
    return [
        _python("web", *_gunicorn(options, listener), descriptors=(listener,)),
        _python("worker", *celery, "worker", *_queue("runs"), "--concurrency", str(options.workers)),
        # In a process of its own: a long queue of runs must not delay the sweeper that looks after it.
        _python("housekeeping", *celery, "worker", *_queue("housekeeping"), "--pool", "solo"),
        _python("beat", *celery, "beat", "--schedule", str(folder / "run" / "beat-schedule"), "-l", "INFO"),
    ]


def _python(name: str, *arguments: str, descriptors: tuple[int, ...] = ()) -> Program:
    return Program(name, (sys.executable, *arguments), descriptors)


def _gunicorn(options: Options, listener: int) -> tuple[str, ...]:
    application = ("-m", "gunicorn", "helios_site.wsgi", "--bind", f"fd://{listener}")
    threads = ("--worker-class", "gthread", "--threads", str(options.web_threads))
    # The drain of the supervisor is longer than the graceful time, so that gunicorn ends by itself.
    # Up to here a wrong header gets our own 401 instead of the server's 400.
    return (
        *application,
        *threads,
        "--graceful-timeout",
        "20",
        "--no-control-socket",
        "--limit-request-field_size",
        "16384",
    )


def _queue(name: str) -> tuple[str, ...]:
    quiet = ("--without-gossip", "--without-mingle", "--loglevel", "INFO")
    return ("--queues", name, "--hostname", f"{name}@%h", *quiet)

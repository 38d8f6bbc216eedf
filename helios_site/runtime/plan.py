"""What runs: the programs of one Helios and their command lines."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from helios_site.runtime.watched import Program


@dataclass(frozen=True, slots=True)
class Options:
    """What `manage.py up` takes."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    web_threads: int = 16


CELERY = ("-m", "celery", "-A", "helios_site")


def serving_programs(options: Options, listener: int) -> list[Program]:
    """Web, worker and the sender of webhooks; `listener` is the web server's open socket."""
    concurrency = ("--concurrency", str(options.workers))
    return [
        _python("web", *_gunicorn(options, listener), descriptors=(listener,)),
        _python("worker", *CELERY, "worker", *_queue("runs"), *concurrency),
        _python("webhooks", *CELERY, "worker", *_queue("webhooks"), "--pool", "threads", "--concurrency", "8"),
    ]


def clock_programs(folder: Path) -> list[Program]:
    """What happens by the clock: beat, and the worker of its ticks.

    The worker is a process of its own, so that a long queue of runs does not delay the sweeper that looks
    after it.
    """
    schedule = folder / "run" / "beat-schedule"
    return [
        _python("housekeeping", *CELERY, "worker", *_queue("housekeeping"), "--pool", "solo"),
        _python("beat", *CELERY, "beat", "--schedule", str(schedule), "--loglevel", "INFO"),
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

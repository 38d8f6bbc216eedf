"""`manage.py up`: all of Helios with one command."""

from __future__ import annotations

import contextlib
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from helios_site.runtime import supported
from helios_site.runtime.datadir import DataDirError
from helios_site.runtime.listening import PortError
from helios_site.runtime.plan import Options
from helios_site.runtime.supervisor import Supervisor


def add_options(parser: CommandParser) -> None:
    """The options that `up` and `demo` share."""
    defaults = Options(workers=min(os.cpu_count() or 1, 4))
    parser.add_argument("--host", default=defaults.host, help="address to listen on (%(default)s)")
    for name, high, what in (
        ("port", 65_535, "port to listen on; 0 takes a free one"),
        ("workers", 64, "runs at once"),
        ("web-threads", 1000, "requests at once"),
    ):
        default = getattr(defaults, name.replace("-", "_"))
        low = 0 if name == "port" else 1
        parser.add_argument(f"--{name}", type=_whole(low, high), default=default, help=f"{what} (%(default)s)")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ArgumentTypeError(f"a whole number from {low} to {high} is needed")
        return int(text)

    return parse


def options_from(given: dict[str, Any]) -> Options:
    return Options(given["host"], given["port"], given["workers"], given["web_threads"])


def say(line: str) -> None:
    """A line for the terminal. Whoever reads it may have gone (`up | head`): that is no reason to stop."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


class Command(BaseCommand):
    help = "Start web, worker and beat, with PostgreSQL and Valkey where DATABASE_URL and REDIS_URL name none."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            supported.check()
            sys.exit(Supervisor(options_from(options), os.environ, say=say).run())
        except (supported.UnsupportedError, DataDirError, PortError) as error:
            sys.exit(str(error))

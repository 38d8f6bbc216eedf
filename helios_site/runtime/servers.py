"""PostgreSQL and Valkey for the length of a `with` block, or of one command:

    python -m helios_site.runtime.servers run [--data-dir DIR] [--durable] -- COMMAND…

runs COMMAND with HELIOS_DATA_DIR set to a data directory whose servers are up (a temporary one unless named)
and ends with its exit code. Nothing stays behind, also when this process is killed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from helios_site.runtime import datadir
from helios_site.runtime.binaries import ServiceUser, check_reachable, own, service_user
from helios_site.runtime.datadir import DataDirError, ServerURLs, server_urls
from helios_site.runtime.postgres import PostgresServer
from helios_site.runtime.server_process import GUARD, PYTHON, ServerError
from helios_site.runtime.valkey import ValkeyServer

MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there is closed to others
LEAST_ROOM_BYTES = 4 << 30


def throwaway_folder(prefix: str = "helios-") -> Path:
    """A new data directory for data that may be lost; the caller removes it.

    It lies in memory where there is room and programs may be run from there: whenever tests empty the tables,
    PostgreSQL makes some hundred files anew, which costs a disk's file system more than all their statements.
    """
    return _new_folder(prefix, MEMORY if _has_room(MEMORY) else None)


def _new_folder(prefix: str, parent: Path | None = None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


def _has_room(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    room = found.f_bavail * found.f_frsize
    return os.access(folder, os.W_OK) and not found.f_flag & os.ST_NOEXEC and room >= LEAST_ROOM_BYTES


def lay_out(folder: Path) -> ServiceUser:
    """Make the folders that the servers need; the user that will run them. Raises DataDirError."""
    datadir.prepare(folder)
    user = service_user()
    check_reachable(folder, user)
    (folder / "logs").mkdir(mode=0o700, exist_ok=True)
    own(datadir.socket_dir(folder), user)
    return user


class EmbeddedServers:
    """A running PostgreSQL and Valkey on `folder`, for a `with` block in the main thread.

    `urls` holds their addresses; other processes derive the same ones from HELIOS_DATA_DIR. Raises
    DataDirBusyError when another Helios uses the folder, ServerError when a server does not start.
    """

    def __init__(self, folder: Path, *, fsync: bool = True) -> None:
        self.folder = folder.resolve()
        self._fsync = fsync
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(datadir.hold(self.folder))
            user = lay_out(self.folder)
            for server in (
                PostgresServer(self.folder, user, fsync=self._fsync),
                ValkeyServer(self.folder, user, fsync=self._fsync),
            ):
                stack.callback(server.stop)
                server.start()
                server.wait_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def urls(self) -> ServerURLs:
        return server_urls(self.folder)


class _Terminated(BaseException):
    """SIGTERM, as an exception, so that the servers stop on the way out."""


def run_command(command: list[str], folder: Path | None, *, durable: bool, environ: Mapping[str, str]) -> int:
    """Run `command` beside running servers; its exit code. DATABASE_URL and REDIS_URL are taken out of its
    environment: they would send it to another database than the one started for it."""
    signal.signal(signal.SIGTERM, _terminate)
    with ExitStack() as stack:
        if folder is None:
            folder = _new_folder("helios-") if durable else throwaway_folder()
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        servers = stack.enter_context(EmbeddedServers(folder, fsync=durable))
        rest = {name: value for name, value in environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        owner = (os.getpid(), int(signal.SIGTERM), os.geteuid(), os.getegid())
        program = shutil.which(command[0])
        if program is None:
            raise DataDirError(f"The command {command[0]} was not found.")
        child = subprocess.Popen(
            [*PYTHON, str(GUARD), "exec", *map(str, owner), "--", program, *command[1:]],
            env=rest | {"HELIOS_DATA_DIR": str(servers.folder)},
        )
        return _wait(child)


def _wait(child: subprocess.Popen[bytes]) -> int:
    """The terminal sends Ctrl-C to both of us: the command decides what it means, and we wait for it."""
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            continue
        except _Terminated:
            child.terminate()
            continue
        return code if code >= 0 else 128 - code


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise _Terminated


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m helios_site.runtime.servers", description=__doc__)
    run = parser.add_subparsers(required=True).add_parser("run", help="run a command beside the servers")
    run.add_argument("--data-dir", type=Path)
    run.add_argument("--durable", action="store_true", help="write to disk as in production (slower)")
    run.add_argument("command", nargs="+", metavar="COMMAND")
    options = parser.parse_args(arguments)
    try:
        return run_command(options.command, options.data_dir, durable=options.durable, environ=os.environ)
    except (DataDirError, ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, _Terminated):
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

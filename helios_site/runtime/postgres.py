"""The embedded PostgreSQL 18: made once, started without a TCP port, stopped fast and cleanly."""

from __future__ import annotations

import locale
import shutil
import signal
import subprocess
from pathlib import Path

from helios_site.runtime import server_process
from helios_site.runtime.binaries import ServiceUser, own, postgres_programs
from helios_site.runtime.datadir import (
    DATABASE_NAME,
    DATABASE_USER,
    POSTGRES_SOCKET,
    DataDirError,
    secrets,
    socket_dir,
)
from helios_site.runtime.logfiles import last_lines
from helios_site.runtime.server_process import ServerError

MAJOR_VERSION = "18"

# Local sockets only, each connection with its password.
HBA = "local all all scram-sha-256\n"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "jit": "off",  # its start-up costs more than our short queries
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "cluster_name": "helios",
}
# Survives `kill -9`, not a power cut. Commits still wait for the log: without that, a kill would lose them.
UNSAFE_BUT_FAST = {"fsync": "off", "full_page_writes": "off"}


class PostgresServer:
    """PostgreSQL on `postgres/` of a data directory. `fsync=False` is for data that may be lost: tests."""

    name = "postgres"
    title = "PostgreSQL"

    def __init__(self, folder: Path, user: ServiceUser, *, fsync: bool = True) -> None:
        self.data = folder / "postgres"
        self.log = folder / "logs" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        self._user = user
        self._fsync = fsync
        self._sockets = socket_dir(folder)

    def start(self) -> None:
        """Start, making the database on first use; `wait_ready` tells when connections are accepted."""
        programs = postgres_programs(self._folder)
        server_process.clear_out(self.data, signal.SIGINT)
        if not self.data.exists():
            self._create(programs)
        own(self.data, self._user)
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise DataDirError(f"{self.data} was made by PostgreSQL {version}; this Helios has {MAJOR_VERSION}.")
        # Nobody works in the folder, so these are what a crash left. PostgreSQL would trust them as long as the pid
        # in them exists: as another process of the same user, or as a dead one that nobody has collected yet.
        for left in (self.data / "postmaster.pid", self._sockets / f"{POSTGRES_SOCKET}.lock"):
            left.unlink(missing_ok=True)
        settings = (
            SETTINGS | {"unix_socket_directories": f'"{self._sockets}"'} | ({} if self._fsync else UNSAFE_BUT_FAST)
        )
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = server_process.guarded(
            [str(programs / "postgres"), "-D", str(self.data), *options],
            self._user,
            signal.SIGINT,  # PostgreSQL's fast shutdown
            self.data,
            self.log,
        )

    def wait_ready(self) -> None:
        """Return once connections are accepted; raises ServerError. Recovery may take a while."""
        assert self.process is not None
        server_process.wait_until(self._ready, self.process, 120.0, "PostgreSQL", self.log)

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is on disk."""
        if self.process is not None:
            server_process.stop(self.process, signal.SIGINT, signal.SIGQUIT, 30.0)

    def _ready(self) -> bool:
        assert self.process is not None
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def _create(self, programs: Path) -> None:
        """Make the cluster, its role and its database beside the final folder, then rename: a start that is
        cut short leaves nothing half made."""
        new = self.data.with_name("postgres.new")
        if new.exists():
            shutil.rmtree(new)
        own(new, self._user)
        # The sort order is PostgreSQL's own and the same on every machine; the character classes that trigram
        # search uses come from the system.
        arguments = ["--username=postgres", "--encoding=UTF8", "--no-instructions"]
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        arguments += ["--locale=C", f"--lc-ctype={_character_classes()}"]
        arguments += ["--auth-local=reject", "--auth-host=reject"]
        arguments += ["--no-sync"]  # all of it is written to disk once, at the end
        self._run([str(programs / "initdb"), f"--pgdata={new}", *arguments], new)
        (new / "pg_hba.conf").write_text(HBA)
        # The application is an ordinary role that owns its database. The superuser has no password, so that
        # nobody can connect as it.
        password = secrets(self._folder).postgres_password
        # Only a superuser may add pgvector: it is put into the template, from where every database has it.
        self._single_user(programs, new, "template1", "CREATE EXTENSION vector;\n")
        statements = f"CREATE ROLE {DATABASE_USER} LOGIN CREATEDB PASSWORD '{password}';\n"
        statements += f"CREATE DATABASE {DATABASE_NAME} OWNER {DATABASE_USER};\n"
        self._single_user(programs, new, "postgres", statements)
        if self._fsync:
            self._run([str(programs / "initdb"), f"--pgdata={new}", "--sync-only"], new)
        new.rename(self.data)

    def _single_user(self, programs: Path, cluster: Path, database: str, statements: str) -> None:
        """Run one statement a line with no server up, and so with no connection that needs a password."""
        program = [str(programs / "postgres"), "--single", "-D", str(cluster)]
        settings = ["-c", "exit_on_error=on", "-c", "fsync=off"]
        self._run([*program, *settings, database], cluster, statements)

    def _run(self, program: list[str], cwd: Path, text: str = "") -> None:
        process = server_process.guarded(program, self._user, signal.SIGKILL, cwd, self.log, text.encode())
        if process.wait(120) != 0:
            raise ServerError(f"{Path(program[0]).name} failed.\n{last_lines(self.log)}")


def _character_classes() -> str:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"

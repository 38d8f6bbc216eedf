"""The data directory: where it is, what it keeps secret, and the addresses of the servers that live in it.

Settings imports this module, so it imports nothing but the standard library.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import quote

CHECKOUT = Path(__file__).resolve().parents[2]
DATABASE_NAME = "helios"
DATABASE_USER = "helios"
POSTGRES_SOCKET = ".s.PGSQL.5432"  # the name PostgreSQL derives from its port, which only names the file here
VALKEY_SOCKET = "valkey.sock"

# sun_path holds 108 bytes with its final NUL; a little room is left for other systems' counts.
MAX_SOCKET_PATH_BYTES = 100
# A fixed folder, not $TMPDIR: two processes with different environments must find the same socket.
SHORT_SOCKET_ROOT = Path("/tmp")  # noqa: S108 - ours is created 0700 and its owner checked before use

SECRET_BYTES = 48  # 64 characters


class DataDirError(Exception):
    """The data directory cannot be used; the message is one line for the operator."""


class DataDirBusyError(DataDirError):
    """Another Helios holds the data directory."""


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What this installation alone knows. Never printed: the class has no `repr` of its values."""

    secret_key: str
    api_key_pepper: str
    upload_signing_key: str
    encryption_key: str
    postgres_password: str
    valkey_password: str


@dataclass(frozen=True, slots=True, repr=False)
class ServerURLs:
    """Addresses of the embedded servers, passwords included. The broker has a Redis database of its own, so
    that clearing the cache never rings the bell of a waiting run out of existence."""

    database_url: str
    redis_url: str
    broker_url: str


def data_dir(environ: Mapping[str, str]) -> Path:
    """The absolute folder that holds all state: `HELIOS_DATA_DIR`, else `/var/lib/helios` for root, else
    `.helios` in the checkout. Nothing is created."""
    named = environ.get("HELIOS_DATA_DIR", "").strip()
    if named:
        return Path(named).expanduser().resolve()
    return Path("/var/lib/helios") if os.geteuid() == 0 else CHECKOUT / ".helios"


def prepare(folder: Path) -> None:
    """Create the data directory: closed to others, except that root's may be passed through (not listed) by
    the user that runs the servers. Raises DataDirError."""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise DataDirError(f"The data directory {folder} cannot be created: {error.strerror}.") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise DataDirError(
            f"The data directory {folder} belongs to another user; set HELIOS_DATA_DIR to one of your own."
        )


def secrets(folder: Path) -> Secrets:
    """Read `secrets.json` of the data directory, making it (or a value it lacks) on first use.

    Processes that start together agree on one set: values are made under a lock and the file is replaced in
    one step. Raises DataDirError when the file is unreadable; an existing file is never overwritten then.
    """
    prepare(folder)
    path = folder / "secrets.json"
    names = [item.name for item in fields(Secrets)]
    stored = _read_secrets(path)
    if not all(stored.get(name) for name in names):
        with _exclusive(folder / "secrets.lock", wait=True):
            stored = _read_secrets(path)
            stored |= {name: token_urlsafe(SECRET_BYTES) for name in names if not stored.get(name)}
            _write_private(path, json.dumps(stored, indent=2) + "\n")
    return Secrets(**{name: stored[name] for name in names})


def stored_secrets(folder: Path) -> dict[str, str]:
    """What `secrets.json` holds, by name, for a backup. Raises DataDirError."""
    return _read_secrets(folder / "secrets.json")


def restore_secrets(folder: Path, stored: Mapping[str, str]) -> None:
    """Put a backup's secrets in the place of those that were made when this command started."""
    with _exclusive(folder / "secrets.lock", wait=True):
        _write_private(folder / "secrets.json", json.dumps(dict(stored), indent=2) + "\n")


def socket_dir(folder: Path) -> Path:
    """The folder of the servers' sockets: `sockets` in the data directory.

    Where a socket's path would be longer than the system takes, or holds the comma that to PostgreSQL's clients
    separates hosts, it is a short folder under `/tmp`, named after user and data directory.
    """
    inside = folder / "sockets"
    if len(os.fsencode(inside / POSTGRES_SOCKET)) <= MAX_SOCKET_PATH_BYTES and "," not in str(inside):
        return inside
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return SHORT_SOCKET_ROOT / f"helios-{os.geteuid()}-{digest}"


def server_urls(folder: Path) -> ServerURLs:
    """Addresses of the embedded servers of this data directory, the same in every process."""
    known = secrets(folder)
    sockets = socket_dir(folder)
    valkey = quote(str(sockets / VALKEY_SOCKET))
    return ServerURLs(
        database_url=f"postgresql://{DATABASE_USER}:{known.postgres_password}@/{DATABASE_NAME}"
        f"?host={quote(str(sockets), safe='')}",
        redis_url=f"unix://:{known.valkey_password}@{valkey}?db=0",
        broker_url=f"redis+socket://:{known.valkey_password}@{valkey}?virtual_host=1",
    )


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the data directory for this process; raises DataDirBusyError at once when another holds it.

    The kernel lets go of the lock when the holder dies, however it dies, so there is no stale lock.
    """
    prepare(folder)
    with _exclusive(folder / "lock", wait=False):
        yield


@contextmanager
def _exclusive(path: Path, *, wait: bool) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise DataDirBusyError(f"Helios is already running on {path.parent}.") from error
        yield
    finally:
        os.close(descriptor)


def _read_secrets(path: Path) -> dict[str, str]:
    try:
        stored = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataDirError(f"{path} cannot be read: {error}. Restore it from a backup.") from error
    if not isinstance(stored, dict) or not all(isinstance(value, str) for value in stored.values()):
        raise DataDirError(f"{path} does not hold secrets. Restore it from a backup.")
    return stored


def _write_private(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)

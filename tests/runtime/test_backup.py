"""`manage.py backup` and `restore`: a whole installation into a file, and back on another machine."""

from __future__ import annotations

import io
import json
import re
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helios_site.backup import END, MANIFEST, RECORDINGS, BackupError, open_backup
from helios_site.runtime import datadir
from helios_site.runtime.datadir import CHECKOUT
from tests.chaos.customer import TERMINAL, Customer, Recording
from tests.chaos.installation import Installation, temporary_folder, wait_for
from tests.runtime.conftest import environ_of

Member = tuple[str, bytes]
CONTENT = b"no sound, only words"


def command(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT, env=environ_of(folder) | settings, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def stopped(helios: Installation) -> None:
    helios.ask_to_stop()
    assert helios.await_stop() == 0


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What an installation held when it was backed up as it ran: key, run, heads of the audit chains, the file."""
    file = tmp_path_factory.mktemp("backup") / "helios.backup"
    with temporary_folder() as folder:
        helios = Installation(folder, {}, workers=1)
        helios.start()
        try:
            key = helios.issue_key("Northern Clinic")
            customer = Customer(helios.url, key)
            run_id = customer.send(Recording(CONTENT, "ERR_RECORDING_INVALID_FORMAT"))
            wait_for(lambda: customer.read(run_id)["status"] in TERMINAL, 60, "the run", helios.report)
            made = {"key": key, "run": customer.read(run_id), "file": file}
            made["heads"] = re.findall(r"head ([0-9a-f]{64})", helios.command("verify_audit"))
            made["said"] = helios.command("backup", str(file))
        finally:
            stopped(helios)
        pepper = {"HELIOS_API_KEY_PEPPERS": "pepper-of-the-environment-" + "x" * 20}
        again = command(folder, "backup", str(file.with_name("stopped.backup")), **pepper)
        assert again.returncode == 0, again.stderr
        yield made | {"secrets": datadir.stored_secrets(folder), "said when stopped": again.stderr}


def test_a_backup_restored_elsewhere_is_the_same_installation(original: dict[str, Any]) -> None:
    assert "the database, 1 recordings and the secrets" in original["said"]
    with temporary_folder() as folder:
        restored = command(folder, "restore", str(original["file"]))
        assert restored.returncode == 0, restored.stderr
        assert datadir.stored_secrets(folder) == original["secrets"]
        [stored] = [path for path in (folder / "recordings" / "stored").rglob("*") if path.is_file()]
        assert stored.read_bytes() == CONTENT
        helios = Installation(folder, {}, workers=1)
        helios.start()
        try:
            assert Customer(helios.url, original["key"]).read(original["run"]["id"]) == original["run"]
            expected = [part for head in original["heads"] for part in ("--expect-head", head)]
            assert len(original["heads"]) >= 1
            assert "BROKEN" not in helios.command("verify_audit", *expected)
            assert helios.query("SELECT action FROM accounts_auditevent WHERE action = 'model_run.created'")
        finally:
            stopped(helios)
        second = command(folder, "restore", str(original["file"]))
        assert (second.returncode, "is not empty" in second.stderr) == (1, True), second.stderr


def test_a_backup_is_for_its_owner_alone_and_never_written_over(original: dict[str, Any], folder: Path) -> None:
    file: Path = original["file"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    refused = command(folder, "backup", str(file))
    assert (refused.returncode, f"{file} exists already" in refused.stderr) == (1, True), refused.stderr
    assert file.read_bytes() == before
    assert {path.name for path in file.parent.iterdir()} <= {"helios.backup", "stopped.backup"}


def test_a_restore_that_fails_leaves_the_folder_as_it_was(original: dict[str, Any], tmp_path: Path) -> None:
    def spoil(member: Member) -> Member:
        return (member[0], b"{}" if member[0] == "database.dump" else member[1])

    damaged = rewritten(original["file"], tmp_path / "damaged", spoil)
    with temporary_folder() as folder:
        refused = command(folder, "restore", str(damaged))
        assert (refused.returncode, "its database is not what was written" in refused.stderr) == (1, True)
        assert {path.name for path in folder.iterdir()} <= {"secrets.json", "secrets.lock"}
        assert command(folder, "restore", str(original["file"])).returncode == 0, "the next try succeeds"


def rewritten(source: Path, target: Path, change: Callable[[Member], Member]) -> Path:
    """A copy of a backup with each member changed."""
    with tarfile.open(source) as before, tarfile.open(target, "w") as after:
        for member in before:
            content = before.extractfile(member)
            assert content is not None
            add(after, *change((member.name, content.read())))
    return target


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def small(path: Path, *members: Member) -> Path:
    with tarfile.open(path, "w") as archive:
        for member in members:
            add(archive, *member)
    return path


def json_member(name: str, **values: object) -> Member:
    return name, json.dumps(values).encode()


BEGIN = json_member(MANIFEST, format=1, made_at="2026-01-01", environment=[])
FINISH = json_member(END, recordings=1, database_sha256="")


def test_what_is_no_whole_backup_is_refused(original: dict[str, Any], tmp_path: Path) -> None:
    whole = original["file"].read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").touch()
    small(tmp_path / "no end", BEGIN)
    small(tmp_path / "other format", json_member(MANIFEST, format=2), FINISH)
    for name in ("cut", "text", "empty", "no end", "other format", "nothing there"):
        with pytest.raises(BackupError, match=r"no whole backup|another version|does not exist"):
            open_backup(tmp_path / name).__enter__()


class Store:
    """Takes nothing: a key must be refused before anything is written."""

    def writer(self, key: str) -> None:
        raise AssertionError(key)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a//b", "a/./b", ".."])
def test_no_member_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    small(tmp_path / "evil", BEGIN, (RECORDINGS + name, b"x"), FINISH)
    with open_backup(tmp_path / "evil") as backup, pytest.raises(BackupError, match="no name of a recording"):
        backup.recordings(Store())  # type: ignore[arg-type]


def test_a_backup_names_the_secrets_that_it_does_not_hold(original: dict[str, Any]) -> None:
    assert original["said when stopped"] == (
        "Not in it, since set in the environment: HELIOS_API_KEY_PEPPERS. Keep them.\n"
    )
    with open_backup(original["file"].with_name("stopped.backup")) as backup:
        assert backup.summary.environment == ("HELIOS_API_KEY_PEPPERS",)
        assert backup.summary.recordings == 1
        assert backup.secrets() == original["secrets"]
    assert b"pepper-of-the-environment" not in original["file"].with_name("stopped.backup").read_bytes()


def test_where_nothing_is_nothing_is_backed_up(folder: Path, tmp_path: Path) -> None:
    done = command(folder, "backup", str(tmp_path / "file"))
    assert (done.returncode, done.stderr) == (1, "CommandError: The database is empty: there is nothing to back up.\n")
    assert not (tmp_path / "file").exists()

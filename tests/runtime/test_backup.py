"""`manage.py backup` and `restore`: a whole installation into a file, and back on another machine.

The same installation shows what `manage.py doctor` says of a sound one.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helios_site import doctor
from helios_site.backup import END, MANIFEST, RECORDINGS, BackupError, open_backup
from helios_site.celery import CLOCK_KEY
from helios_site.runtime import datadir
from helios_site.runtime.datadir import CHECKOUT
from tests.chaos.customer import TERMINAL, Customer, Recording
from tests.chaos.installation import Installation, wait_for
from tests.runtime import processes
from tests.runtime.conftest import data_directory, environ_of

Member = tuple[str, bytes]
CONTENT = b"no sound, only words"
FILES = ("of-an-organisation/documents/id/0a", "of-an-organisation/exports/id/0b")  # keys as in the object storage
WEBHOOK = {"url": "https://93.184.216.34/hook", "events": ["api_key.revoked"]}  # of nothing that happens here
# What only the secrets of the backup can answer: the webhook's secret, whose key it is, the signature of an upload.
OPENED = """
import json
from apps.api_keys.selectors import key_of_raw
from apps.model_runs.models import ModelRun
from apps.model_runs.uploads import upload_url
from apps.webhooks.selectors import signing_secrets
key = key_of_raw({key!r})
print(json.dumps([signing_secrets({webhook!r}), key and key.organization.name, upload_url(ModelRun.objects.get())]))
"""


def command(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT, env=environ_of(folder) | settings, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def opening(made: dict[str, Any]) -> list[str]:
    return ["shell", "--no-imports", "--command", OPENED.format(key=made["key"], webhook=made["webhook"][0])]


def stopped(helios: Installation) -> None:
    helios.ask_to_stop()
    assert helios.await_stop() == 0
    assert processes.of(helios.folder) == {}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What an installation held when it was backed up as it ran: key, run, heads of the audit chains, the file; and
    what doctor said of it."""
    file = tmp_path_factory.mktemp("backup") / "helios.backup"
    with data_directory() as folder:
        helios = Installation(folder, {"HELIOS_SWEEP_SECONDS": "1"}, workers=1)
        helios.start()
        try:
            helios.await_services()
            helios.command("create_staff", "staff@example.org")
            with helios.valkey(0) as client:
                wait_for(lambda: client.get(CLOCK_KEY), 30, "the first tick", helios.report)
            said = helios.command("doctor")  # asserts exit code 0
            key = helios.issue_key("Northern Clinic")
            customer = Customer(helios.url, key)
            run_id = customer.send(Recording(CONTENT, "ERR_RECORDING_INVALID_FORMAT"))
            wait_for(lambda: customer.read(run_id)["status"] in TERMINAL, 60, "the run", helios.report)
            made = {"key": key, "run": customer.read(run_id), "file": file, "doctor": said.splitlines()}
            webhook = customer.call("POST", "/v1/webhooks", json.dumps(WEBHOOK).encode())
            made["webhook"] = (webhook["id"], webhook["secret"])
            made["heads"] = re.findall(r"head ([0-9a-f]{64})", helios.command("verify_audit"))
            for key in FILES:  # a document and an archive
                path = folder / "recordings" / "stored" / key
                path.parent.mkdir(parents=True)
                path.write_bytes(key.encode())
            made["said"] = helios.command("backup", str(file))
            made["opened"] = json.loads(helios.command(*opening(made)))
        finally:
            stopped(helios)
        pepper = {"HELIOS_API_KEY_PEPPERS": "pepper-of-the-environment-" + "x" * 20}
        again = command(folder, "backup", str(file.with_name("stopped.backup")), **pepper)
        assert again.returncode == 0, again.stderr
        yield made | {"secrets": datadir.stored_secrets(folder), "said when stopped": again.stderr}


def test_doctor_gives_a_sound_installation_good_lines_alone(original: dict[str, Any]) -> None:
    lines: list[str] = original["doctor"]
    assert [line.partition(":")[0] for line in lines] == list(doctor.CHECKS)
    assert all(": ok, " in line for line in lines), lines


def test_a_backup_restored_elsewhere_is_the_same_installation_also_after_a_try_that_failed(
    original: dict[str, Any], tmp_path: Path
) -> None:
    assert "the database, 3 stored files and the secrets" in original["said"]
    damaged = altered(original["file"], tmp_path / "damaged", CONTENT)
    with data_directory() as folder:
        refused = command(folder, "restore", str(damaged))
        assert (refused.returncode, "is damaged: it is not what was written" in refused.stderr) == (1, True)
        assert {path.name for path in folder.iterdir()} <= {"secrets.json", "secrets.lock"}
        restored = command(folder, "restore", str(original["file"]))
        assert restored.returncode == 0, restored.stderr
        assert datadir.stored_secrets(folder) == original["secrets"]
        root = folder / "recordings" / "stored"
        stored = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        assert [stored.pop(key).decode() for key in FILES] == list(FILES)
        assert list(stored.values()) == [CONTENT]
        helios = Installation(folder, {}, workers=1)
        helios.start()
        try:
            assert Customer(helios.url, original["key"]).read(original["run"]["id"]) == original["run"]
            assert json.loads(helios.command(*opening(original))) == original["opened"]
            assert original["opened"][:2] == [[original["webhook"][1]], "Northern Clinic"]
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


def altered(source: Path, target: Path, known: bytes) -> Path:
    """A copy of a backup in which one bit of `known` is another."""
    whole = source.read_bytes()
    at = whole.index(known)
    target.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    return target


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def small(path: Path, *members: Member, sealed: bool = False) -> Path:
    with tarfile.open(path, "w") as archive:
        for member in members:
            add(archive, *member)
        end = archive.offset
    if sealed:
        digest = hashlib.sha256(path.read_bytes()[:end]).hexdigest()
        with tarfile.open(path, "a") as archive:
            add(archive, *json_member(END, recordings=1, sha256=digest))
    return path


def json_member(name: str, **values: object) -> Member:
    return name, json.dumps(values).encode()


BEGIN = json_member(MANIFEST, format=2, made_at="2026-01-01", environment=[])


def test_what_is_no_whole_backup_is_refused(original: dict[str, Any], tmp_path: Path) -> None:
    whole = original["file"].read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").touch()
    small(tmp_path / "no end", BEGIN)
    small(tmp_path / "other format", json_member(MANIFEST, format=1), sealed=True)
    small(tmp_path / "no digest", BEGIN, json_member(END, recordings=1))
    altered(original["file"], tmp_path / "altered secret", original["secrets"]["api_key_pepper"].encode())
    altered(original["file"], tmp_path / "altered database", b"PGDMP")
    for path in (tmp_path / "nothing there", *tmp_path.iterdir()):
        with pytest.raises(BackupError, match=r"no whole backup|another version|does not exist|damaged"):
            open_backup(path).__enter__()


class Store:
    """Takes nothing: a key must be refused before anything is written."""

    def writer(self, key: str) -> None:
        raise AssertionError(key)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a//b", "a/./b", ".."])
def test_no_member_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    small(tmp_path / "evil", BEGIN, (RECORDINGS + name, b"x"), sealed=True)
    with open_backup(tmp_path / "evil") as backup, pytest.raises(BackupError, match="no name of a recording"):
        backup.recordings(Store())  # type: ignore[arg-type]


def test_a_backup_names_the_secrets_that_it_does_not_hold(original: dict[str, Any]) -> None:
    assert original["said when stopped"] == (
        "Not in it, since set in the environment: HELIOS_API_KEY_PEPPERS. Keep them.\n"
    )
    with open_backup(original["file"].with_name("stopped.backup")) as backup:
        assert backup.summary.environment == ("HELIOS_API_KEY_PEPPERS",)
        assert backup.summary.recordings == 3
        assert backup.secrets() == original["secrets"]
    assert b"pepper-of-the-environment" not in original["file"].with_name("stopped.backup").read_bytes()


def test_where_nothing_is_nothing_is_backed_up(folder: Path, tmp_path: Path) -> None:
    done = command(folder, "backup", str(tmp_path / "file"))
    assert (done.returncode, done.stderr) == (1, "CommandError: The database is empty: there is nothing to back up.\n")
    assert not (tmp_path / "file").exists()

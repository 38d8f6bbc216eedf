"""`manage.py backup` and `restore` with a database and a bucket of one's own, and on a disk that is full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from helios_site.runtime import database_copy
from helios_site.runtime.database_copy import DatabaseCopyError
from helios_site.runtime.datadir import CHECKOUT
from helios_site.storage.s3 import S3Storage
from tests.conftest import MakeKey, database_url_of_tests, new_database
from tests.model_runs.conftest import BUCKET, s3, s3_server
from tests.runtime.conftest import environ_of
from tests.runtime.test_backup import command

__all__ = ["s3", "s3_server"]  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)

RECORDING = b"a recording " * 20_000
NAME = "organization/run/recording"
OWNER = "from apps.api_keys.selectors import key_of_raw; print(key_of_raw({key!r}).organization.name)"


def bucket(address: str, name: str) -> dict[str, str]:
    return {
        "HELIOS_STORAGE": "s3", "HELIOS_S3_BUCKET": name, "HELIOS_S3_ENDPOINT_URL": address,
        "HELIOS_S3_ACCESS_KEY_ID": "a", "HELIOS_S3_SECRET_ACCESS_KEY": "b",
    }  # fmt: skip


def empty_bucket(known: S3Storage, name: str) -> S3Storage:
    known._client.create_bucket(Bucket=name)
    store = S3Storage(known._client, name)
    for key in stored(store):
        store.delete(key)
    return store


def stored(store: S3Storage) -> list[str]:
    return [item["Key"] for item in store._client.list_objects_v2(Bucket=store._bucket).get("Contents", ())]


def keys_in(database: str) -> int:
    with psycopg.connect(database_url_of_tests(database)) as connection:
        found: Any = connection.execute("SELECT count(*) FROM api_keys_apikey").fetchone()
    return int(found[0])


def test_a_database_and_a_bucket_of_ones_own_are_restored_into_empty_ones_alone(
    make_key: MakeKey, s3: S3Storage, s3_server: str, settings: Any, tmp_path: Path
) -> None:
    raw_key = make_key()[1]
    with s3.writer(NAME) as writer:
        writer.write(RECORDING)
        writer.commit()
    file = tmp_path / "helios.backup"
    ours = {"DATABASE_URL": database_url_of_tests(), **bucket(s3_server, BUCKET)}
    made = command(settings.DATA_DIR, "backup", str(file), **ours)
    assert (made.returncode, "1 stored files" in made.stdout) == (0, True), made.stderr

    restored, third = empty_bucket(s3, "restored"), empty_bucket(s3, "third")
    with new_database() as name:
        theirs = {"DATABASE_URL": database_url_of_tests(name), **bucket(s3_server, "restored")}
        done = command(tmp_path / "new", "restore", str(file), **theirs)
        assert done.returncode == 0, done.stderr
        with restored.local_path(NAME) as path:
            assert path.read_bytes() == RECORDING
        said = command(tmp_path / "new", "shell", "--no-imports", "--command", OWNER.format(key=raw_key), **theirs)
        assert said.stdout == "Northern Clinic\n", said.stderr

        again = command(tmp_path / "again", "restore", str(file), **theirs)
        assert (again.returncode, "The store of recordings is not empty" in again.stderr) == (1, True), again.stderr
        again = command(tmp_path / "again", "restore", str(file), **{**theirs, **bucket(s3_server, "third")})
        assert (again.returncode, "database of DATABASE_URL is not empty" in again.stderr) == (1, True), again.stderr
        assert (keys_in(name), stored(restored), stored(third)) == (1, [NAME], [])


def test_a_backup_that_finds_no_room_leaves_no_half_file_and_says_so(settings: Any, tmp_path: Path) -> None:
    """A limit on the size of files is the full disk that needs no rights; the dump fits below it."""
    target = tmp_path / "backups" / "helios.backup"
    target.parent.mkdir()
    large = tmp_path / "recordings" / "stored" / NAME
    large.parent.mkdir(parents=True)
    large.touch()
    os.truncate(large, 64 << 20)
    limited = ["sh", "-c", 'ulimit -f 16384; exec "$@"', "sh", sys.executable, "manage.py", "backup", str(target)]
    environ = environ_of(settings.DATA_DIR) | {
        "DATABASE_URL": database_url_of_tests(), "HELIOS_RECORDINGS_DIR": str(tmp_path / "recordings"),
    }  # fmt: skip
    done = subprocess.run(limited, cwd=CHECKOUT, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The backup cannot be written: "), done.stderr
    assert list(target.parent.iterdir()) == []


def test_a_dump_that_finds_no_room_says_so() -> None:
    with pytest.raises(DatabaseCopyError, match="No space left on device"):
        database_copy.dump(database_url_of_tests(), Path("/dev/full"))

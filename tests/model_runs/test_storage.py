"""Both stores answer the same; the S3 one against a real HTTP server that speaks S3."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from helios_site.storage import Storage, StorageFull
from helios_site.storage.local import LocalStorage
from helios_site.storage.s3 import PART_BYTES


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return LocalStorage(tmp_path) if request.param == "local" else request.getfixturevalue("s3")


def put(storage: Storage, key: str, *pieces: bytes) -> None:
    with storage.writer(key) as writer:
        for piece in pieces:
            writer.write(piece)
        writer.commit()


def get(storage: Storage, key: str) -> bytes:
    with storage.local_path(key) as path:
        return path.read_bytes()


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES * 2 + 12345])
def test_what_is_written_in_pieces_is_read_back_whole(storage: Storage, size: int) -> None:
    content = os.urandom(size)
    put(storage, "o/r/1", *(content[i : i + 300_000] for i in range(0, size, 300_000)))
    assert hashlib.sha256(get(storage, "o/r/1")).digest() == hashlib.sha256(content).digest()


def test_a_write_that_is_not_committed_leaves_nothing(storage: Storage) -> None:
    with storage.writer("o/r/2") as writer:
        writer.write(os.urandom(PART_BYTES + 1))
    with pytest.raises(FileNotFoundError), storage.local_path("o/r/2"):
        pass
    assert storage.remove_unfinished(timezone.now() + timedelta(days=1)) == 0


def test_a_write_that_a_crash_left_behind_is_found_and_removed(storage: Storage) -> None:
    abandoned = storage.writer("o/r/3")
    abandoned.write(os.urandom(PART_BYTES + 1))
    # The S3 stand-in dates every unfinished upload to 2010.
    assert storage.remove_unfinished(timezone.now() - timedelta(days=10_000)) == 0
    assert storage.remove_unfinished(timezone.now() + timedelta(days=1)) == 1
    if isinstance(storage, LocalStorage):
        abandoned.__exit__()


def test_delete_copy_and_listing(storage: Storage) -> None:
    put(storage, "o/r/4", b"sound")
    storage.copy("o/r/4", "o/r/5")
    assert get(storage, "o/r/5") == b"sound"
    assert sorted(storage.keys_before(timezone.now() + timedelta(minutes=1))) == ["o/r/4", "o/r/5"]
    assert list(storage.keys_before(timezone.now() - timedelta(minutes=1))) == []
    storage.delete("o/r/4")
    storage.delete("o/r/4")
    with pytest.raises(FileNotFoundError), storage.local_path("o/r/4"):
        pass
    with pytest.raises(FileNotFoundError):
        storage.copy("o/r/4", "o/r/6")


def test_a_large_write_holds_no_more_than_a_few_parts_in_memory(storage: Storage) -> None:
    piece = bytes(256 * 1024)
    put(storage, "o/r/warm", piece)
    tracemalloc.start()
    try:
        with storage.writer("o/r/7") as writer:
            for _ in range(100):
                writer.write(piece)
                assert tracemalloc.get_traced_memory()[0] < 4 * PART_BYTES
    finally:
        tracemalloc.stop()


def test_a_full_disk_is_reported_as_such_and_leaves_nothing(tmp_path: Path) -> None:
    """/dev/full is the system's own full disk."""
    storage = LocalStorage(tmp_path)
    with storage.writer("o/r/8") as writer:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, writer._file.fileno())
        os.close(full)
        with pytest.raises(StorageFull):
            writer.write(bytes(4 << 20))
    assert list((tmp_path / "incoming").iterdir()) == []


def test_recordings_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "recordings")
    put(storage, "o/r/9", b"sound")
    assert (tmp_path / "recordings").stat().st_mode & 0o777 == 0o700

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helios_site.runtime.servers import EmbeddedServers, throwaway_folder
from tests.runtime import processes


@contextmanager
def data_directory() -> Iterator[Path]:
    """A folder whose path is short enough for sockets and open to the user that runs the servers, with
    a space that a careless command line would trip over."""
    path = throwaway_folder("helios test-")
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data directory. Whatever a test does, nothing may run on it afterwards."""
    with data_directory() as path:
        yield path
        assert processes.wait_for_none(path, 15) == {}


@pytest.fixture(scope="session")
def _made() -> Iterator[Path]:
    with data_directory() as path:
        with EmbeddedServers(path, fsync=False):
            pass
        yield path


@pytest.fixture
def made(_made: Path) -> Iterator[Path]:
    """A data directory that servers have run on, shared by the tests of a process; nothing may run on it
    afterwards."""
    yield _made
    assert processes.wait_for_none(_made, 15) == {}


def environ_of(folder: Path) -> dict[str, str]:
    """The environment of a person who starts Helios on `folder`, without what the test run has set."""
    ours = ("HELIOS_", "DATABASE_URL", "REDIS_URL", "PYTEST_")
    rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return rest | {"HELIOS_DATA_DIR": str(folder)}


@pytest.fixture
def environ(folder: Path) -> dict[str, str]:
    return environ_of(folder)

"""A customer with the client of clients/python, and the installation that it calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from helios_client import Client, Retries
from tests.conftest import MakeKey
from tests.receiver import Receiver, receiving

KEY = "hlsk_" + "Secret9" * 6  # of no installation; tests look for it where it must not be
QUICK = Retries(first_pause=0.001, longest_pause=0.002)


@pytest.fixture
def url(transactional_db: None, live_server: Any, settings: Any) -> str:
    """Address of a real Helios."""
    settings.HELIOS_PUBLIC_BASE_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def client(url: str, make_key: MakeKey) -> Iterator[Client]:
    with Client(url, make_key()[1]) as made:
        yield made


@pytest.fixture
def scripted() -> Iterator[Receiver]:
    """A server that answers what the test says, for what a healthy Helios never does."""
    with receiving() as found:
        yield found

"""One installation for all scenarios; each has an organisation of its own and leaves every service up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.customer import Customer
from tests.chaos.installation import Installation, installation
from tests.chaos.sizes import SETTINGS


@pytest.fixture(autouse=True)
def _empty_valkey() -> None:
    """In place of the fixture of that name: only a scenario may empty the installation's Valkey."""


@pytest.fixture(scope="session")
def helios() -> Iterator[Installation]:
    with installation(SETTINGS) as helios:
        yield helios


@pytest.fixture
def customer(helios: Installation, request: pytest.FixtureRequest) -> Customer:
    """A customer of an organisation that only this scenario has."""
    return Customer(helios.url, helios.issue_key(request.node.name))

"""The documentation's samples for a shell, with curl, and for Node, against a real Helios."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import RECORDINGS
from tests.docs.samples import PRINTED, Customer, customer, run_samples

__all__ = ["customer"]  # a fixture

pytestmark = [pytest.mark.browser, RECORDINGS]


@pytest.mark.parametrize(("document", "language"), [page for page in PRINTED if page[1] != "python"])
def test_the_samples_do_what_they_say(worker: Path, customer: Customer, document: str, language: str) -> None:
    run_samples(document, language, customer)

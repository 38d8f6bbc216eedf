"""Every package has a licence under which it may ship, and the page says which."""

from __future__ import annotations

import re

import pytest

from release import licences, lock
from tests.project.checkout import ROOT

LOCKED = [entry.name for entry in lock.read(licences.LOCK)]


def page_rows() -> dict[str, tuple[str, str]]:
    table = licences.PAGE.read_text().partition(licences.BEGIN)[2].partition(licences.END)[0]
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (.+) \| (yes|no) \|$", table, re.MULTILINE)
    return {name: (licence, place) for name, licence, place in rows if name != "package"}


def test_the_page_lists_every_locked_package_and_no_other() -> None:
    assert sorted(page_rows()) == sorted(LOCKED)


def test_the_page_says_what_the_packages_say() -> None:
    """The packages that a marker keeps away from this system have their licence in READ_IN_THE_WHEEL."""
    entries = lock.read(licences.LOCK)
    page = licences.PAGE.read_text()
    assert licences.with_table(page, licences.table(entries)) == page, "run: python -m release.licences"


@pytest.mark.parametrize("name", LOCKED)
def test_every_package_may_ship(name: str) -> None:
    assert licences.may_ship(name, licences.licence(name))
    assert page_rows()[name][0] == licences.licence(name)


@pytest.mark.parametrize(
    "expression",
    ["GPL-3.0-only", "AGPL-3.0-or-later", "LGPL-3.0-only", "CC-BY-NC-4.0", "MIT AND GPL-2.0-only", "Other"],
)
def test_what_may_not_ship_is_refused(expression: str) -> None:
    assert not licences.may_ship("some-package", expression)
    assert licences.may_ship("some-package", f"{expression} OR MIT")


def test_an_exception_is_for_one_package_and_one_licence() -> None:
    assert licences.may_ship("psycopg", "LGPL-3.0-only")
    assert not licences.may_ship("psycopg", "GPL-3.0-only")


def test_the_wheel_with_gpl_parts_is_named_and_left_out_of_the_image() -> None:
    assert page_rows()["av"] == ("BSD-3-Clause", "no")
    page = licences.PAGE.read_text()
    assert "libx264" in page
    assert "GPL-2.0-or-later" in page


def test_a_package_without_a_stated_licence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(licences.READ_IN_THE_WHEEL, "wcwidth")
    with pytest.raises(LookupError, match="wcwidth states no SPDX licence"):
        licences.licence("wcwidth")


def test_our_own_licence_is_there_unmodified() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Copyright [yyyy] [name of copyright owner]" in text
    assert text.rstrip().endswith("limitations under the License.")

"""The list of patients: the contract's lines 55 to 63, search and order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from apps.accounts.models import Organization
from apps.patients.models import Patient
from apps.patients.names import folded
from tests.contract.healos.appointments import details
from tests.contract.healos.calls import send
from tests.contract.healos.patients import PATIENTS, create

pytestmark = pytest.mark.django_db
THEN = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)


def ask(client: Client, **query: object) -> Any:
    return client.get(f"{PATIENTS}?{urlencode(query)}")


def fill(organization: Organization, *names: str, at: timedelta = timedelta()) -> list[str]:
    """Patients of these names, one after the other `at` apart; their ids."""
    rows = [
        Patient(organization=organization, name=name, search_name=folded(name), created_at=THEN + number * at)
        for number, name in enumerate(names)
    ]
    return [str(row.pk) for row in Patient.objects.bulk_create(rows)]


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["data"]]


def test_healos_55_56_a_list_has_data_and_meta_and_nothing_else(api: Client) -> None:
    patient = create(api, name="Maria", pronouns="she/her", external_id="E")
    answer = api.get(PATIENTS)
    shown = {name: patient[name] for name in ("id", "name", "created_at", "external_id")}
    assert answer.json() == {"data": [shown], "meta": {"page": 1, "limit": 20, "total_pages": 1}}
    assert b'"meta":{"page":1,"limit":20,"total_pages":1}' in answer.content
    assert list(answer.json()["data"][0]) == ["id", "name", "created_at", "external_id"]


def test_healos_57_pages_are_the_whole_without_repeats(
    api: Client, organization: Organization, other_organization: Organization
) -> None:
    ids = fill(organization, *["Ana"] * 40, at=timedelta(seconds=1)) + fill(organization, *["Eva"] * 5)
    fill(other_organization, *["Theirs"] * 30)
    pages = [ask(api, page=page, limit=20).json() for page in (1, 2, 3)]
    assert [len(page["data"]) for page in pages] == [20, 20, 5]
    assert {page["meta"]["total_pages"] for page in pages} == {3}
    found = [row["id"] for page in pages for row in page["data"]]
    assert sorted(found) == sorted(ids)
    newest_first = Patient.objects.filter(organization=organization).order_by("-created_at", "-id")
    assert found == [str(row.pk) for row in newest_first]


def test_healos_58_59_page_and_limit_are_echoed_and_a_limit_is_cut(api: Client, organization: Organization) -> None:
    fill(organization, *["Ana"] * 120)
    assert ask(api, page=2, limit=50).json()["meta"] == {"page": 2, "limit": 50, "total_pages": 3}
    for limit in (1000, 2**63 - 1):
        cut = ask(api, limit=limit).json()
        assert (cut["meta"], len(cut["data"])) == ({"page": 1, "limit": 100, "total_pages": 2}, 100)
    for page in (99, 2**53 - 1):
        past = {"data": [], "meta": {"page": page, "limit": 20, "total_pages": 6}}
        assert ask(api, page=page).json() == past
    assert api.get(f"{PATIENTS}?limit=0&limit=5").json()["meta"]["limit"] == 5, "the last of a repeated one wins"


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.0", " 1", "1e3", "9" * 40, "2\x00"])
@pytest.mark.parametrize("name", ["page", "limit"])
def test_healos_60_a_bad_page_or_limit_is_named(api: Client, name: str, value: str) -> None:
    assert list(details(ask(api, **{name: value}))) == [name]


def test_a_parameter_that_is_not_utf8_is_named(api: Client) -> None:
    named = {"search": ["String must be UTF-8"], "external_id": ["String must be UTF-8"]}
    assert details(api.get(f"{PATIENTS}?search=%ED%A0%80&external_id=a%FF&limit=5")) == named
    assert ask(api, search="\N{REPLACEMENT CHARACTER}").status_code == 200, "which can be sent, too"


def test_healos_60_both_are_named_with_their_bounds(api: Client) -> None:
    assert details(ask(api, page=0, limit="x")) == {
        "page": ["Number must be greater than or equal to 1"],
        "limit": ["Expected number, received nan"],
    }


def test_healos_61_62_an_external_id_is_met_exactly_within_the_organisation(api: Client, other_api: Client) -> None:
    wanted = create(api, external_id="PARTNER-12345")
    create(api, external_id="PARTNER-1")
    create(other_api, external_id="THEIRS")
    answer = ask(api, external_id="PARTNER-12345").json()
    assert [row["id"] for row in answer["data"]] == [wanted["id"]]
    assert answer["meta"] == {"page": 1, "limit": 20, "total_pages": 1}
    for other in ("partner-12345", "PARTNER-12345 ", "PARTNER-%", "PARTNER-1234_", "THEIRS", "none"):
        empty = {"data": [], "meta": {"page": 1, "limit": 20, "total_pages": 0}}
        assert ask(api, external_id=other).json() == empty, other
    assert list(details(ask(api, external_id=""))) == ["external_id"]
    assert list(details(ask(api, external_id="x" * 256, search="", sort="id"))) == ["external_id", "search", "sort"]


def test_healos_63_what_is_created_while_paging_never_appears_twice(api: Client, organization: Organization) -> None:
    """All in one millisecond: the ids alone order them."""
    before = fill(organization, *["Ana"] * 30)
    pages = [ask(api, page=1, limit=10).json()["data"]]
    [new] = fill(organization, "Eva")
    pages += [ask(api, page=page, limit=10).json()["data"] for page in (2, 3, 4)]
    found = [row["id"] for page in pages for row in page]
    assert found.count(new) <= 1
    assert set(found) >= set(before)
    assert found == sorted(found, key=int, reverse=True)
    assert len(found) - len(set(found)) <= 1, "one before the place where the reader is moves one of the old"


def test_a_search_ignores_case_and_accents_and_takes_wildcards_for_letters(
    api: Client, organization: Organization
) -> None:
    fill(organization, "Zoë Ångström", "ZOE STRAUSS", "Łukasz 100%", "Jo_hn \\ Doe", "John 🦊 Fox", "Straße", "李小龙",
         "مريم\u200f الحسن")  # fmt: skip
    for wanted, expected in {
        "ANGSTROM": ["Zoë Ångström"],
        "ångström": ["Zoë Ångström"],
        "A\u030angstro\u0308m": ["Zoë Ångström"],
        "zoe": ["Zoë Ångström", "ZOE STRAUSS"],
        "strasse": ["Straße"],
        "lukasz": ["Łukasz 100%"],
        "00%": ["Łukasz 100%"],
        "o_h": ["Jo_hn \\ Doe"],
        "hn \\ d": ["Jo_hn \\ Doe"],
        "n 🦊 f": ["John 🦊 Fox"],
        "李小龙": ["李小龙"],
        "مريم": ["مريم\u200f الحسن"],
        "_%_": [],
        "%%%": [],
        "fox'; --": [],
    }.items():
        assert sorted(names(ask(api, search=wanted))) == sorted(expected), wanted


def test_one_or_two_letters_are_looked_for_at_the_beginning(api: Client, organization: Organization) -> None:
    fill(organization, "Ana", "Éva", "Hannah", "% off", "_x", "🦊", "李小龙")
    for wanted, expected in {
        "a": ["Ana"], "AN": ["Ana"], "e": ["Éva"], "nn": [], "%": ["% off"], "_": ["_x"], "__": [], "%o": [],
        "🦊": ["🦊"], "李": ["李小龙"], "\u0301": [],
    }.items():  # fmt: skip
        assert names(ask(api, search=wanted)) == expected, wanted


def test_a_search_finds_an_external_id_as_a_whole(api: Client) -> None:
    create(api, name="Ana", external_id="X-1")
    assert names(ask(api, search="X-1")) == ["Ana"]
    assert names(ask(api, search="x-1")) == names(ask(api, search="X-")) == []
    assert ask(api, search="ana").json()["meta"]["total_pages"] == 1
    assert ask(api, search="nobody").json()["meta"]["total_pages"] == 0
    for bad in ("", "a\x00", "x" * 256):
        assert list(details(ask(api, search=bad))) == ["search"]


def test_the_order_is_by_name_and_back_and_ids_break_ties(api: Client, organization: Organization) -> None:
    fill(organization, "bea", "Ana", "Éva", "anaïs", "ana", "Zoë", at=timedelta(seconds=1))
    forwards = names(ask(api, sort="name"))
    assert forwards[2:] == ["anaïs", "bea", "Éva", "Zoë"]
    assert {*forwards[:2]} == {"Ana", "ana"}
    pages = [names(ask(api, sort="name", limit=2, page=page)) for page in (1, 2, 3)]
    assert [name for page in pages for name in page] == forwards
    assert names(ask(api, sort="-name")) == forwards[::-1]
    assert names(ask(api, sort="created_at")) == names(ask(api, sort="-created_at"))[::-1] == [
        "bea", "Ana", "Éva", "anaïs", "ana", "Zoë",
    ]  # fmt: skip
    assert names(ask(api, sort="-created_at")) == names(ask(api))
    assert list(details(ask(api, sort="+name"))) == ["sort"]


def test_a_change_of_name_is_found(api: Client) -> None:
    patient = create(api, name="Ana")
    send(api, "PATCH", f"{PATIENTS}/{patient['id']}", {"name": "Zoë"})
    assert names(ask(api, search="zoe")) == ["Zoë"]
    assert names(ask(api, search="ana")) == []

"""What a search of patients finds."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import Organization
from tests.contract.healos.patients import PATIENTS
from tests.patients.people import make_patient

pytestmark = pytest.mark.django_db
NAMES = ("Zoë Ångström", "Ana Müller", "Angus Ana", "Łukasz Sørensen", "BJÖRN ANGSTROM", "\u0301")


@pytest.fixture
def _patients(organization: Organization, other_organization: Organization) -> None:
    for number, name in enumerate(NAMES):
        make_patient(organization, name=name, external_id=f"EHR-{number}")
    make_patient(organization, name="Ignored", external_id="ana")
    make_patient(other_organization, name="Ana Müller", external_id="EHR-1")


def found(client: Client, **query: str | int) -> list[str]:
    sent: dict[str, str | int] = {"sort": "name", **query}
    answer = client.get(PATIENTS, sent)
    assert answer.status_code == 200, answer.content
    return [item["name"] for item in answer.json()["data"]]


@pytest.mark.usefixtures("_patients")
@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("ÅNGSTROM", ["BJÖRN ANGSTROM", "Zoë Ångström"]),
        ("muller", ["Ana Müller"]),
        ("lukasz sor", ["Łukasz Sørensen"]),
        ("an", ["Ana Müller", "Angus Ana"]),  # two letters begin a name
        ("z", ["Zoë Ångström"]),
        ("ana", ["Ana Müller", "Angus Ana", "Ignored"]),  # three stand anywhere, or are the whole external id
        ("EHR-3", ["Łukasz Sørensen"]),
        ("ehr-3", []),
        ("EHR-", []),
        ("%", []),
        ("a_a", []),
        ("\u0301", []),  # a mark alone is part of no name that is compared
    ],
)
def test_a_search_finds_parts_of_names_and_whole_external_ids(api: Client, search: str, names: list[str]) -> None:
    assert found(api, search=search) == names


@pytest.mark.usefixtures("_patients")
def test_a_search_is_paged_and_sorted_as_the_list(api: Client) -> None:
    assert [found(api, search="ana", limit=2, page=page) for page in (1, 2, 3)] == [
        ["Ana Müller", "Angus Ana"],
        ["Ignored"],
        [],
    ]
    assert found(api, search="ana", sort="-name") == ["Ignored", "Angus Ana", "Ana Müller"]
    assert found(api, search="ana", external_id="EHR-2") == ["Angus Ana"]
    assert api.get(PATIENTS, {"search": "ana", "limit": "2"}).json()["meta"]["total_pages"] == 2

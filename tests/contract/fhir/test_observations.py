"""`/fhir/Observation`: the scores of a patient's finished runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.model_runs.models import Status
from apps.patients.models import Patient
from tests.conftest import MakeKey
from tests.contract.fhir.records import AT, VALUES, here, issue, make_patient, make_run

pytestmark = pytest.mark.django_db
SEARCH = "/fhir/Observation"


@pytest.fixture
def patient(organization: Organization) -> Patient:
    return make_patient(organization)


def search(client: Client, patient: object, **query: Any) -> Any:
    answer = client.get(SEARCH, {"patient": str(patient), **query})
    assert answer.status_code == 200, answer.content
    return answer.json()


def ids(bundle: Any) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


def test_one_observation_for_each_score(api: Client, patient: Patient) -> None:
    run = make_run(patient, warnings=["a warning", " "])
    bundle = search(api, patient.pk)
    assert (bundle["resourceType"], bundle["type"], bundle["total"]) == ("Bundle", "searchset", 6)
    assert ids(bundle) == [f"{run.pk}.{code}" for code in VALUES]
    first = bundle["entry"][0]
    assert first == {
        "fullUrl": f"http://127.0.0.1:8000/fhir/Observation/{run.pk}.mentalStrain",
        "search": {"mode": "match"},
        "resource": {
            "resourceType": "Observation",
            "id": f"{run.pk}.mentalStrain",
            "meta": {"versionId": "1", "lastUpdated": "2026-03-15T09:30:05.000Z"},
            "status": "final",
            "category": [
                {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                            "code": "survey",
                            "display": "Survey",
                        }
                    ]
                }
            ],
            "code": {
                "coding": [
                    {
                        "system": "http://127.0.0.1:8000/fhir/CodeSystem/wellness-scores",
                        "code": "mentalStrain",
                        "display": "Mental strain",
                    }
                ],
                "text": "Mental strain",
            },
            "subject": {"reference": f"Patient/{patient.pk}"},
            "effectiveDateTime": "2026-03-15T09:30:05.000Z",
            "issued": "2026-03-15T09:30:05.000Z",
            "valueQuantity": {"value": 0.3, "unit": "1", "system": "http://unitsofmeasure.org", "code": "1"},
            "note": [{"text": "a warning"}],
            "device": {"display": "Helios wellness model test"},
        },
    }
    for entry in bundle["entry"]:
        assert api.get(here(entry["fullUrl"])).json() == entry["resource"]
    values = {ids(bundle)[n].rpartition(".")[2]: bundle["entry"][n]["resource"]["valueQuantity"] for n in range(6)}
    assert {code: quantity["value"] for code, quantity in values.items()} == VALUES


def test_a_score_that_is_missing_says_so(api: Client, patient: Patient) -> None:
    make_run(patient, scores={**VALUES, "mentalStrain": None, "uniformStress": 0})
    by_code = {entry["resource"]["code"]["text"]: entry["resource"] for entry in search(api, patient.pk)["entry"]}
    missing = by_code["Mental strain"]
    assert missing["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "valueQuantity" not in missing
    assert by_code["Stress"]["valueQuantity"]["value"] == 0
    assert "dataAbsentReason" not in by_code["Stress"]


def test_a_recording_time_gives_its_day(api: Client, patient: Patient) -> None:
    make_run(patient, recording_time="2026-03-14 23:10:00")
    assert search(api, patient.pk)["entry"][0]["resource"]["effectiveDateTime"] == "2026-03-14"


def test_only_finished_runs_of_that_patient_of_that_organization(
    api: Client, patient: Patient, organization: Organization, other_organization: Organization
) -> None:
    own = make_run(patient)
    make_run(patient, status=Status.COMPLETE_ERROR, error_code="ERR_INTERNAL", scores=None)
    make_run(make_patient(organization))
    unlinked = make_run(None, organization)
    erased = make_run(patient, delete_data=True)  # and long due to be
    make_run(make_patient(other_organization))
    assert {identifier.partition(".")[0] for identifier in ids(search(api, patient.pk))} == {str(own.pk)}
    for run in (unlinked, erased):
        issue(api.get(f"{SEARCH}/{run.pk}.mentalStrain"), 404)


def test_pages_hold_what_was_asked_for_and_lose_nothing(api: Client, patient: Patient) -> None:
    runs = [make_run(patient, created_at=AT + timedelta(minutes=n // 2)) for n in range(4)]  # two at each time
    newest = sorted(runs, key=lambda run: (run.created_at, run.pk), reverse=True)
    expected = [f"{run.pk}.{code}" for run in newest for code in VALUES]
    for count in (1, 5, 6, 7, 24):
        seen, url = [], f"{SEARCH}?patient={patient.pk}&_count={count}"
        while url:
            bundle = api.get(url).json()
            assert bundle["total"] == 24
            links = {link["relation"]: here(link["url"]) for link in bundle["link"]}
            if "_cursor" in url:
                assert links["self"] == url
            page = ids(bundle)
            assert len(page) == count or "next" not in links
            seen += page
            url = links.get("next", "")
        assert seen == expected, count


def test_what_is_deleted_between_two_pages_moves_nothing(api: Client, patient: Patient) -> None:
    runs = [make_run(patient, created_at=AT + timedelta(minutes=n)) for n in range(3)]
    bundle = search(api, patient.pk, _count=8)
    onwards = here(bundle["link"][1]["url"])
    runs[1].delete()  # in whose midst the page ended
    assert ids(api.get(onwards).json()) == [f"{runs[0].pk}.{code}" for code in VALUES]


def test_counts(api: Client, patient: Patient) -> None:
    for number in range(18):
        make_run(patient, created_at=AT + timedelta(minutes=number))
    assert len(ids(search(api, patient.pk))) == 60
    assert len(ids(search(api, patient.pk, _count=1000))) == 100
    alone = search(api, patient.pk, _count=0)
    assert (alone["total"], [link["relation"] for link in alone["link"]], "entry" in alone) == (108, ["self"], False)


def test_the_patient_may_be_named_in_three_ways(api: Client, patient: Patient) -> None:
    make_run(patient)
    bundles = [
        search(api, name)
        for name in (patient.pk, f"Patient/{patient.pk}", f"http://127.0.0.1:8000/fhir/Patient/{patient.pk}")
    ]
    assert bundles[0]["total"] == 6
    assert bundles == [bundles[0]] * 3
    assert bundles[0]["link"] == [
        {"relation": "self", "url": f"http://127.0.0.1:8000/fhir/Observation?patient=Patient/{patient.pk}&_count=60"}
    ]


def test_of_a_patient_that_is_not_there_there_is_nothing(
    api: Client, other_api: Client, organization: Organization
) -> None:
    gone = make_patient(organization, deleted_at=timezone.now())
    foreign, absent = make_patient(organization), "1"
    run = make_run(foreign)
    make_run(gone)
    answers = [other_api.get(SEARCH, {"patient": foreign.pk}), api.get(SEARCH, {"patient": gone.pk})]
    answers += [api.get(SEARCH, {"patient": name}) for name in (absent, "abc", "0")]
    bodies = [answer.content for answer in answers]
    for answer, name in zip(answers, (foreign.pk, gone.pk, absent, "abc", "0"), strict=True):
        assert answer.status_code == 200
        assert answer.content.replace(f"Patient/{name}".encode(), b"Patient/1") == bodies[2]
        assert (answer.json()["total"], "entry" in answer.json()) == (0, False)
    issue(other_api.get(f"{SEARCH}/{run.pk}.mentalStrain"), 404)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("", "patient"),
        ("patient=", "patient"),
        ("patient=Group/1", "patient"),
        ("patient=1,2", "patient"),
        (f"patient={quote('https://evil.example/fhir/Patient/1', safe='')}", "patient"),
        ("patient=%00", "patient"),
        ("patient=1&_count=-1", "_count"),
        ("patient=1&_count=x", "_count"),
        ("patient=1&_count=", "_count"),
        ("patient=1&_cursor=", "_cursor"),
        ("patient=1&_cursor=AQ", "_cursor"),
        (f"patient=1&_cursor=AQ{'A' * 30}6", "_cursor"),
        (f"patient=1&_cursor=AQ{'A' * 30}%C2%B2", "_cursor"),
    ],
)
def test_a_wrong_parameter_is_named(api: Client, query: str, word: str) -> None:
    code, text = issue(api.get(f"{SEARCH}?{query}"), 400)
    assert code == "invalid"
    assert word in text


def test_both_scopes_are_needed(make_key: MakeKey, patient: Patient) -> None:
    run = make_run(patient)
    for scopes, status in (
        (["patients:read"], 403),
        (["model_runs:read"], 403),
        (["patients:read", "model_runs:read"], 200),
    ):
        client = Client(headers={"x-api-key": make_key(scopes=scopes)[1]})
        assert client.get(SEARCH, {"patient": patient.pk}).status_code == status
        assert client.get(f"{SEARCH}/{run.pk}.mentalStrain").status_code == status
    assert "missing scope: model_runs:read" in AuditEvent.objects.values_list("reason", flat=True)


def test_a_search_leaves_one_row_in_the_trail_and_is_bounded(
    api: Client, patient: Patient, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        make_run(patient, created_at=AT + timedelta(minutes=number))
    api.get("/fhir/nothing")  # notes when the key was used last
    before = AuditEvent.objects.count()
    with django_assert_num_queries(5):  # the key, the patient, a page, its total, the row
        search(api, patient.pk)
    assert AuditEvent.objects.count() == before + 1
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.object_type, event.object_id) == ("patient.scores_read", "patient", str(patient.pk))
    assert event.path == SEARCH
    search(api, "1")
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.object_id) == ("patient.scores_read", "")


def test_a_member_sees_it_as_a_page_whose_links_stay_there(patient: Patient, organization: Organization) -> None:
    make_run(patient)
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    browser = Client(headers={"accept": "text/html"})
    browser.force_login(user)
    page = browser.get(f"/browse{SEARCH}?patient={patient.pk}&_count=1")
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "/browse/fhir/Observation?patient=Patient/" in page.content.decode()
    answer = browser.get(f"/browse{SEARCH}?patient={patient.pk}&_count=1", headers={"accept": "application/json"})
    assert answer.json()["total"] == 6

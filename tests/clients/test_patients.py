"""Patients and lists of runs by the client, against a real Helios."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.models import Organization
from helios_client import Client, Conflict, Invalid, NotFound, NotPermitted, Person
from tests.conftest import MakeKey

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_patient_is_made_found_changed_and_deleted(client: Client) -> None:
    made = client.create_patient("Maria Santos", external_id="EHR-1", notes="new")
    assert (made.name, made.external_id, made.consent, made.pronouns) == ("Maria Santos", "EHR-1", False, None)
    assert abs(datetime.now(UTC) - made.created_at) < timedelta(minutes=1)
    changed = client.change_patient(made.id, {"consent": True, "notes": None})
    assert (changed.id, changed.name, changed.consent, changed.notes) == (made.id, "Maria Santos", True, None)
    assert client.get_patient(made.id) == changed
    found = client.find_patient("EHR-1")
    assert found is not None
    assert (found.id, found.name) == (made.id, "Maria Santos")
    wellness = client.wellness(made.id, first="2026-01-01", last=datetime.now(UTC).date())
    assert (wellness.patient_id, wellness.model_version) == (made.id, None)
    assert wellness.scores["uniform_stress"].series == ()
    assert not wellness.scores["uniform_stress"].baseline.ready
    client.delete_patient(made.id)
    assert client.find_patient("EHR-1") is None
    with pytest.raises(NotFound, match="404: Patient not found"):
        client.get_patient(made.id)


def test_an_external_id_that_is_taken_names_the_patient_who_has_it(client: Client) -> None:
    first = client.create_patient("Maria Santos", external_id="EHR-1")
    with pytest.raises(Conflict) as caught:
        client.create_patient("Somebody else", external_id="EHR-1")
    assert caught.value.existing is not None
    assert caught.value.existing["id"] == first.id


def test_a_call_that_is_made_again_with_its_key_makes_no_second_patient(client: Client) -> None:
    first = client.create_patient("Maria Santos", idempotency_key="once")
    assert client.create_patient("Maria Santos", idempotency_key="once") == first
    assert len(list(client.list_patients())) == 1


def test_a_list_of_patients_goes_over_its_pages(client: Client) -> None:
    ids = [client.create_patient(f"Ánna {number}").id for number in range(5)]
    assert [one.id for one in client.list_patients(page_size=2)] == ids
    assert [one.id for one in client.list_patients(sort="-name", search="anna", page_size=3)] == ids[::-1]


def test_a_list_of_runs_goes_over_its_cursors(client: Client) -> None:
    ids = [client.create_run(Person(f"person-{number % 2}", "1990-08-24", "FEMALE")).id for number in range(5)]
    assert [run.id for run in client.list_runs(page_size=2)] == ids[::-1]
    assert [run.id for run in client.list_runs(user_label="person-0", page_size=2)] == [ids[4], ids[2], ids[0]]
    assert list(client.list_runs(status=["RUNNING", "COMPLETE_OK"])) == []
    client.delete_run(ids[0])
    assert len(list(client.list_runs(created_from=datetime.now(UTC) - timedelta(hours=1)))) == 4
    with pytest.raises(NotFound, match="404: Model run not found"):
        client.get_run(ids[0])


def test_an_activity_gives_a_link_that_opens_and_no_way_to_upload(client: Client) -> None:
    activity = client.create_activity(Person("person-1", "1990-08-24", "FEMALE"), tags={"site": "north"})
    assert (activity.id in activity.link, activity.link in repr(activity)) == (True, False)
    assert client.get_run(activity.id).status == "CREATED"
    with pytest.raises(Invalid, match="returnUrl"):
        client.create_activity(Person("person-1", "1990-08-24", "FEMALE"), return_url="https://elsewhere.example.org/")


def test_a_create_says_all_that_it_may(client: Client) -> None:
    patient = client.create_patient("Maria Santos", consent=True)
    created = client.create_run(
        Person("person-1", datetime(1990, 8, 24).date(), "FEMALE"),  # noqa: DTZ001 - a date
        "en-US",
        tags={"site": "north", "visit": ""},
        patient_id=patient.id,
        delete_data=True,
        data_to_delete=["RECORDINGS"],
        accent="Scottish",
        sleep_time=datetime(2026, 1, 5, 23, 10),  # noqa: DTZ001 - the person's wall clock
        wake_time="2026-01-06T07:00:00",
        recording_time=datetime(2026, 1, 6, 9, 0),  # noqa: DTZ001
    )
    run = client.get_run(created.id)
    assert (run.status, run.ended, run.scores, run.transcript) == ("CREATED", False, None, None)
    assert (run.user_label, run.language, run.delete_data, run.patient_id) == ("person-1", "en-US", True, patient.id)
    assert run.tags == {"site": "north", "visit": ""}
    assert [found.id for found in client.list_runs(tags=["site:north"], patient_id=patient.id)] == [run.id]


def test_a_wrong_body_and_a_missing_scope_are_told_in_the_servers_words(
    client: Client, url: str, make_key: MakeKey, organization: Organization
) -> None:
    with pytest.raises(Invalid, match=r"body\.language: value is not a valid enumeration member"):
        client.create_run(Person("person-1", "1990-08-24", "FEMALE"), "xx")
    with Client(url, make_key(scopes=["patients:read"])[1]) as reader, pytest.raises(NotPermitted):
        reader.create_patient("Maria Santos")

"""`/ext-api/v1/patients`: the contract's lines 29 to 54. Lists are in test_patient_lists.py."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEvent
from apps.patients.models import Patient
from helios_site.models import IdempotentReply
from tests.contract.healos.calls import send
from tests.contract.healos.patients import INVALID, PATIENTS, create

pytestmark = pytest.mark.django_db
ABSENT = b'{"error":"Patient not found"}'


def details(answer: Any) -> Any:
    assert (answer.status_code, answer.json()["error"]) == (400, INVALID)
    assert set(answer.json()) == {"error", "details"}
    return answer.json()["details"]


def test_healos_29_30_31_a_name_is_enough(api: Client) -> None:
    answer = send(api, "POST", PATIENTS, {"name": "Maria Santos"})
    assert answer.status_code == 201
    assert set(answer.json()) == {"data"}
    data = answer.json()["data"]
    assert re.fullmatch(r"[1-9][0-9]{17,18}", data.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data.pop("created_at"))
    assert data == {"name": "Maria Santos", "pronouns": None, "notes": None, "consent": False, "external_id": None}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": ""}, {"name": ["String must contain at least 1 character(s)"]}),  # 32
        ({}, {"name": ["Required"]}),  # 33
        ({"name": 5}, {"name": ["Expected string, received number"]}),  # 34
        ({"name": "A", "foo": 1}, {"foo": ["Unrecognized key(s) in object: 'foo'"]}),  # 35
        ({"name": "A", "email": "a@b.c"}, {"email": ["Unrecognized key(s) in object: 'email'"]}),  # 36
        ({"name": "A" * 256}, {"name": ["String must contain at most 255 character(s)"]}),
        ({"name": "A", "consent": "true"}, {"consent": ["Expected boolean, received string"]}),
        ({"name": "A", "external_id": ""}, {"external_id": ["String must contain at least 1 character(s)"]}),  # 37
        ({"name": "A", "external_id": "x" * 256}, {"external_id": ["String must contain at most 255 character(s)"]}),
        ({"name": None, "notes": []}, {"name": ["Expected string, received null"],
                                       "notes": ["Expected string, received array"]}),
    ],
)  # fmt: skip
def test_healos_32_to_37_what_is_refused_is_named_and_stores_nothing(api: Client, body: Any, expected: Any) -> None:
    assert details(send(api, "POST", PATIENTS, body)) == expected
    assert not Patient.objects.exists()


def test_healos_32_the_documented_bytes(api: Client) -> None:
    assert send(api, "POST", PATIENTS, {"name": ""}).content == (
        b'{"error":"Validation error","details":{"name":["String must contain at least 1 character(s)"]}}'
    )


def test_healos_37_an_external_id_has_up_to_255_characters_and_null_is_none(api: Client) -> None:
    assert create(api, external_id="x" * 255)["external_id"] == "x" * 255
    assert create(api, external_id=None)["external_id"] is None


def test_healos_38_39_53_an_external_id_is_taken_until_its_patient_is_deleted(api: Client, other_api: Client) -> None:
    first = create(api, external_id="PARTNER-1", pronouns="she/her")
    answer = send(api, "POST", PATIENTS, {"name": "Another", "external_id": "PARTNER-1"})
    assert (answer.status_code, answer.json()) == (409, {"error": "external_id already exists", "data": first})
    assert create(other_api, external_id="PARTNER-1")["id"] != first["id"]
    assert create(api, external_id="partner-1")["id"] != first["id"], "compared byte for byte"
    assert send(api, "DELETE", f"{PATIENTS}/{first['id']}").status_code == 200
    assert create(api, external_id="PARTNER-1")["id"] != first["id"]


def test_healos_42_45_46_50_a_change_is_of_what_is_sent(api: Client) -> None:
    patient = create(api, external_id="E", notes="allergic", consent=True)
    path = f"{PATIENTS}/{patient['id']}"
    assert send(api, "PATCH", path, {"pronouns": "she/her"}).json() == {"data": patient | {"pronouns": "she/her"}}
    assert send(api, "PATCH", path, {"notes": None}).json()["data"]["notes"] is None
    assert send(api, "PATCH", path, {}).json()["data"] == patient | {"pronouns": "she/her", "notes": None}
    assert api.get(path).json() == {"data": patient | {"pronouns": "she/her", "notes": None}}


@pytest.mark.parametrize("body", [{"name": None}, {"name": ""}, {"foo": 1}, {"id": "1"}, {"created_at": "x"}])
def test_healos_46_47_49_a_change_that_is_refused(api: Client, body: Any) -> None:
    patient = create(api)
    path = f"{PATIENTS}/{patient['id']}"
    assert list(details(send(api, "PATCH", path, body))) == list(body)
    assert api.get(path).json()["data"] == patient


@pytest.mark.parametrize("sent", ["X2", None, "", 5, {"a": 1}])
def test_healos_48_an_external_id_is_never_changed(api: Client, sent: Any) -> None:
    patient = create(api, external_id="X1")
    answer = send(api, "PATCH", f"{PATIENTS}/{patient['id']}", {"external_id": sent})
    assert (answer.status_code, answer.json()["data"]) == (200, patient)


def test_healos_43_44_52_absent_foreign_and_malformed_look_the_same(api: Client, other_api: Client) -> None:
    theirs = create(other_api)["id"]
    for odd in (theirs, "481926357104938271", "abc", "9" * 23, "9223372036854775808", f"0{theirs}", "-1", "٣٤"):
        for method, body in (("GET", None), ("PATCH", {"name": "B"}), ("DELETE", None)):
            answer = send(api, method, f"{PATIENTS}/{odd}", body)
            assert (answer.status_code, answer.content) == (404, ABSENT), (method, odd)
    assert other_api.get(f"{PATIENTS}/{theirs}").status_code == 200


def test_healos_51_a_deleted_patient_is_gone(api: Client) -> None:
    patient = create(api)
    path = f"{PATIENTS}/{patient['id']}"
    answer = send(api, "DELETE", path)
    assert (answer.status_code, answer.json()) == (200, {"data": {"id": patient["id"]}, "message": "Patient deleted"})
    assert api.get(path).status_code == send(api, "DELETE", path).status_code == 404
    assert api.get(PATIENTS).json() == {"data": [], "meta": {"page": 1, "limit": 20, "total_pages": 0}}


def test_healos_54_there_is_no_put(api: Client) -> None:
    answer = send(api, "PUT", f"{PATIENTS}/{create(api)['id']}", {"name": "B"})
    assert (answer.status_code, answer.json()) == (405, {"error": "Method not allowed"})


def test_healos_105_if_match_changes_only_the_version_that_it_names(api: Client) -> None:
    patient = create(api)
    path = f"{PATIENTS}/{patient['id']}"
    tag = api.get(path)["ETag"]
    assert tag == '"1"'
    assert send(api, "PATCH", path, {"name": "B"}, headers={"if-match": f"W/{tag}"})["ETag"] == '"2"'
    for method, body in (("PATCH", {"name": ""}), ("DELETE", None)):
        answer = send(api, method, path, body, headers={"if-match": tag})
        assert (answer.status_code, answer.json()) == (412, {"error": "Version conflict"}), "before the body"
    assert api.get(path).json()["data"]["name"] == "B"
    assert send(api, "PATCH", path, {"name": "C"}).status_code == 200, "without the header as documented"
    assert api.get(path, headers={"if-none-match": '"3"'}).status_code == 304
    assert send(api, "DELETE", path, headers={"if-match": "*"}).status_code == 200


def test_healos_107_a_deleted_patient_can_be_restored(api: Client) -> None:
    patient = create(api, external_id="E")
    path = f"{PATIENTS}/{patient['id']}"
    send(api, "DELETE", path)
    answer = send(api, "POST", f"{path}/restore", {"name": "Other"})
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["name"])
    assert send(api, "POST", f"{path}/restore").json() == {"data": patient}
    assert api.get(path).json() == {"data": patient}
    send(api, "DELETE", path)
    later = create(api, external_id="E")
    answer = send(api, "POST", f"{path}/restore")
    assert (answer.status_code, answer.json()) == (409, {"error": "external_id already exists", "data": later})
    assert api.get(path).status_code == 404


def test_every_call_is_on_the_record_and_never_what_it_was_about(api: Client) -> None:
    patient = create(api, name="Canary Name", notes="canary notes")
    path = f"{PATIENTS}/{patient['id']}"
    api.get(path)
    api.get(PATIENTS)
    send(api, "PATCH", path, {"name": "Canary Other"})
    send(api, "DELETE", path)
    send(api, "POST", f"{path}/restore")
    events = AuditEvent.objects.filter(object_type="patient").order_by("id")
    assert [(event.action, event.object_id) for event in events] == [
        ("patient.created", patient["id"]),
        ("patient.read", patient["id"]),
        ("patient.listed", ""),
        ("patient.changed", patient["id"]),
        ("patient.deleted", patient["id"]),
        ("patient.restored", patient["id"]),
    ]
    assert "anary" not in str(list(events.values()))


def test_healos_106_a_conflict_that_shows_another_patient_is_not_kept(api: Client) -> None:
    other = create(api, external_id="A")
    again: dict[str, Any] = {"headers": {"idempotency-key": "key-1"}}
    body = {"name": "Maria", "external_id": "A"}
    taken = send(api, "POST", PATIENTS, body, **again)
    assert (taken.status_code, taken.json()["data"]["id"]) == (409, other["id"])
    assert not IdempotentReply.objects.exists()
    send(api, "DELETE", f"{PATIENTS}/{other['id']}")
    assert send(api, "POST", PATIENTS, body, **again).status_code == 201

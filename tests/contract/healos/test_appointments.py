"""`/ext-api/v1/appointments`: the contract's lines 64 to 77. Lists are in test_appointment_lists.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.patients.models import Appointment, Patient
from tests.conftest import MakeKey
from tests.contract.healos import patients
from tests.contract.healos.appointments import APPOINTMENTS, START, book, details
from tests.contract.healos.calls import send, with_key
from tests.contract.healos.patients import PATIENTS

pytestmark = pytest.mark.django_db
NO_PATIENT = b'{"error":"Patient not found"}'
ABSENT = b'{"error":"Appointment not found"}'
WEEKLY = {"frequency": "WEEKLY", "interval": 1, "end_date": "2026-07-15"}
VISITS = "Expected 'Telehealth' | 'In-Person' | 'Both' | 'Other'"
STATES = "Expected 'SCHEDULED' | 'COMPLETED' | 'CANCELLED' | 'NO_SHOW'"
KEYS = [
    "id", "patient_id", "patient_name", "appointment_type", "visit_type", "start_at", "duration_minutes", "notes",
    "status", "repeat_rule", "external_id", "created_at", "updated_at",
]  # fmt: skip


def test_healos_64_what_is_sent_is_kept(api: Client) -> None:
    patient = patients.create(api, name="José Ñandú")
    sent = {
        "patient_id": patient["id"],
        "appointment_type": "Follow-up",
        "visit_type": "Telehealth",
        "start_at": START,
        "duration_minutes": 50,
        "notes": "bring the diary",
        "status": "SCHEDULED",
        "external_id": "A-1",
    }
    made = book(api, **sent)
    assert list(made) == KEYS
    assert str(UUID(made["id"])) == made["id"]
    assert made == sent | {
        "id": made["id"],
        "patient_name": "José Ñandú",
        "repeat_rule": None,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
    }
    assert api.get(f"{APPOINTMENTS}/{made['id']}").json() == {"data": made}
    assert list(api.get(APPOINTMENTS).json()["data"][0]) == KEYS


def test_healos_64_71_a_patient_and_a_start_are_enough(api: Client) -> None:
    made = book(api)
    defaults = {name: made[name] for name in KEYS[3:11] if name != "start_at"}
    assert defaults == {
        "appointment_type": "Other",
        "visit_type": "Other",
        "duration_minutes": 50,
        "notes": "",
        "status": "SCHEDULED",
        "repeat_rule": None,
        "external_id": None,
    }


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("visit_type", "telehealth", f"Invalid enum value. {VISITS}, received 'telehealth'"),  # 65
        ("visit_type", None, f"{VISITS}, received null"),
        ("status", "DONE", f"Invalid enum value. {STATES}, received 'DONE'"),  # 66
        ("status", 1, f"{STATES}, received number"),
        ("duration_minutes", 0, "Number must be greater than or equal to 1"),  # 67
        ("duration_minutes", 2**31, "Number must be less than or equal to 2147483647"),
        ("duration_minutes", 1.5, "Expected integer, received float"),
        ("duration_minutes", "50", "Expected number, received string"),
        ("start_at", "tomorrow", "Invalid datetime"),  # 68
        ("start_at", "2026-04-15", "Invalid datetime"),
        ("start_at", "2026-04-15T14:00:00", "Invalid datetime"),
        ("start_at", None, "Expected string, received null"),
        ("notes", None, "Expected string, received null"),
        ("notes", "x" * 100_001, "String must contain at most 100000 character(s)"),
        ("appointment_type", "x" * 256, "String must contain at most 255 character(s)"),
        ("patient_id", 481926357104938271, "Expected string, received number"),
        ("patient_id", None, "Expected string, received null"),
        ("patient_name", "Maria", "Unrecognized key(s) in object: 'patient_name'"),
        ("repeat_rule", "WEEKLY", "Expected object, received string"),  # 71
        ("repeat_rule", {"frequency": "WEEKLY", "interval": 0}, "Number must be greater than or equal to 1"),
        ("repeat_rule", WEEKLY | {"foo": 1}, "Unrecognized key(s) in object: 'foo'"),
        ("repeat_rule", {"interval": 1}, "Required"),
        ("repeat_rule", {"frequency": None}, "Expected 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY', received null"),
        ("repeat_rule", WEEKLY | {"end_date": "2026-02-30"}, "Invalid date"),
        ("repeat_rule", WEEKLY | {"end_date": "2026-04-14"}, "end_date must not be before the day of start_at"),
    ],
)  # fmt: skip
def test_healos_65_to_71_what_is_refused_is_named_and_stores_nothing(
    api: Client, field: str, value: Any, message: str
) -> None:
    body = {"patient_id": patients.create(api)["id"], "start_at": START, field: value}
    assert details(send(api, "POST", APPOINTMENTS, body)) == {field: [message]}
    assert not Appointment.objects.exists()
    made = book(api)
    path = f"{APPOINTMENTS}/{made['id']}"
    assert details(send(api, "PATCH", path, {field: value})) == {field: [message]}
    assert api.get(path).json()["data"] == made


def test_healos_64_71_every_message_of_a_body_comes_under_its_top_level_key(api: Client) -> None:
    rule = {"interval": "1", "end_date": 5, "until": 1}
    assert details(send(api, "POST", APPOINTMENTS, {"repeat_rule": rule, "foo": 1})) == {
        "patient_id": ["Required"],
        "start_at": ["Required"],
        "repeat_rule": [
            "Required",
            "Expected number, received string",
            "Expected string, received number",
            "Unrecognized key(s) in object: 'until'",
        ],
        "foo": ["Unrecognized key(s) in object: 'foo'"],
    }


def test_healos_65_66_67_every_documented_value_is_taken(api: Client) -> None:
    patient_id = patients.create(api)["id"]
    for field, values in {
        "visit_type": ("Telehealth", "In-Person", "Both", "Other"),
        "status": ("SCHEDULED", "COMPLETED", "CANCELLED", "NO_SHOW"),
        "duration_minutes": (1, 2**31 - 1),
        "appointment_type": ("", "x" * 255),
    }.items():
        for value in values:
            assert book(api, patient_id=patient_id, **{field: value})[field] == value


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (START, START),
        ("2026-04-15T14:00:00Z", START),
        ("2026-04-15T16:00:00+02:00", START),  # 69
        ("2026-04-15T00:00:00.1239-10:30", "2026-04-15T10:30:00.123Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_healos_68_69_a_start_is_shown_in_z_with_three_digits(api: Client, sent: str, shown: str) -> None:
    made = book(api, start_at=sent)
    assert made["start_at"] == shown
    assert api.get(f"{APPOINTMENTS}/{made['id']}").json()["data"]["start_at"] == shown


def test_healos_70_71_a_rule_is_shown_as_it_was_sent(api: Client) -> None:
    made = book(api, repeat_rule=WEEKLY)
    answer = api.get(f"{APPOINTMENTS}/{made['id']}")
    assert b'"repeat_rule":{"frequency":"WEEKLY","interval":1,"end_date":"2026-07-15"}' in answer.content
    least = book(api, repeat_rule={"frequency": "DAILY"})["repeat_rule"]
    assert least == {"frequency": "DAILY", "interval": 1, "end_date": None}
    assert book(api, repeat_rule=WEEKLY | {"end_date": "2026-04-15"})["repeat_rule"]["end_date"] == "2026-04-15"
    assert book(api, repeat_rule=None)["repeat_rule"] is None
    assert (
        send(api, "PATCH", f"{APPOINTMENTS}/{made['id']}", {"repeat_rule": None}).json()["data"]["repeat_rule"] is None
    )


def test_healos_71_start_and_rule_fit_whichever_of_them_changes(api: Client) -> None:
    made = book(api, repeat_rule=WEEKLY)
    path = f"{APPOINTMENTS}/{made['id']}"
    early = ["end_date must not be before the day of start_at"]
    for change in (
        {"start_at": "2026-07-16T00:00:00Z"},
        {"start_at": "2026-07-15T23:00:00-02:00"},
        {"repeat_rule": WEEKLY | {"end_date": "2026-04-14"}},
    ):
        assert details(send(api, "PATCH", path, change)) == {"repeat_rule": early}
    assert api.get(path).json()["data"] == made
    both = {"start_at": "2026-08-01T00:00:00Z", "repeat_rule": WEEKLY | {"end_date": "2026-08-01"}}
    assert send(api, "PATCH", path, both).status_code == 200
    assert send(api, "PATCH", path, {"repeat_rule": None, "start_at": START}).status_code == 200


def test_healos_72_a_patient_who_is_not_there_is_404_and_nothing_is_stored(api: Client, other_api: Client) -> None:
    theirs, gone = patients.create(other_api)["id"], patients.create(api)["id"]
    send(api, "DELETE", f"{PATIENTS}/{gone}")
    made = book(api)
    path = f"{APPOINTMENTS}/{made['id']}"
    for odd in (theirs, gone, "481926357104938271", "", "abc", "9" * 300, f"0{gone}", "-1", "٣٤"):
        body = {"patient_id": odd, "start_at": START}
        for answer in (send(api, "POST", APPOINTMENTS, body), send(api, "PATCH", path, {"patient_id": odd})):
            assert (answer.status_code, answer.content) == (404, NO_PATIENT), odd
        assert details(send(api, "POST", APPOINTMENTS, body | {"status": "DONE"})), "the body comes first"
    assert Appointment.objects.count() == 1
    assert api.get(path).json()["data"] == made


def test_a_change_may_move_an_appointment_to_another_patient(api: Client) -> None:
    made, other = book(api), patients.create(api, name="Ana")
    answer = send(api, "PATCH", f"{APPOINTMENTS}/{made['id']}", {"patient_id": other["id"]})
    changed = made | {"patient_id": other["id"], "patient_name": "Ana"}
    assert answer.json()["data"] == changed | {"updated_at": answer.json()["data"]["updated_at"]}


def test_healos_74_75_a_change_is_of_what_is_sent(api: Client) -> None:
    made = book(api, external_id="A", notes="n", repeat_rule=WEEKLY)
    path = f"{APPOINTMENTS}/{made['id']}"
    changed = send(api, "PATCH", path, {"status": "COMPLETED"}).json()["data"]
    assert changed == made | {"status": "COMPLETED", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > made["updated_at"]
    for sent in ("X2", None, "", 5, {"a": 1}):
        answer = send(api, "PATCH", path, {"external_id": sent})
        assert (answer.status_code, answer.json()["data"]) == (200, changed)
    assert send(api, "PATCH", path, {}).json()["data"] == changed
    for body in ({"foo": 1}, {"id": made["id"]}, {"created_at": START}, {"updated_at": START}, {"patient_name": "x"}):
        assert list(details(send(api, "PATCH", path, body))) == list(body)
    assert send(api, "PUT", path, {}).status_code == 405


def test_healos_75_a_deleted_appointment_is_gone(api: Client) -> None:
    made = book(api)
    path = f"{APPOINTMENTS}/{made['id']}"
    answer = send(api, "DELETE", path)
    assert answer.content == b'{"data":{"id":"%s"},"message":"Appointment deleted"}' % made["id"].encode()
    assert answer.status_code == 200
    for method, body in (("GET", None), ("PATCH", {"notes": "x"}), ("DELETE", None)):
        assert send(api, method, path, body).content == ABSENT
    assert api.get(APPOINTMENTS).json() == {"data": [], "meta": {"page": 1, "limit": 20, "total_pages": 0}}


def test_healos_43_44_75_absent_foreign_and_malformed_look_the_same(api: Client, other_api: Client) -> None:
    theirs = book(other_api)["id"]
    for odd in (theirs, str(uuid4()), theirs.upper(), theirs.replace("-", ""), "abc", "1"):
        for method, body in (("GET", None), ("PATCH", {"notes": "x"}), ("DELETE", None)):
            answer = send(api, method, f"{APPOINTMENTS}/{odd}", body)
            assert (answer.status_code, answer.content) == (404, ABSENT), (method, odd)
        assert send(api, "POST", f"{APPOINTMENTS}/{odd}/restore").content == ABSENT
    assert other_api.get(f"{APPOINTMENTS}/{theirs}").status_code == 200


def test_healos_41_76_an_external_id_is_taken_until_its_appointment_is_deleted(api: Client, other_api: Client) -> None:
    patient = patients.create(api, external_id="SAME")
    first = book(api, patient_id=patient["id"], external_id="SAME")
    body = {"patient_id": patient["id"], "start_at": "2026-05-01T00:00:00Z", "external_id": "SAME"}
    answer = send(api, "POST", APPOINTMENTS, body)
    assert (answer.status_code, answer.json()) == (409, {"error": "external_id already exists", "data": first})
    assert list(answer.json()["data"]) == KEYS
    assert send(api, "POST", APPOINTMENTS, body | {"patient_id": "1"}).content == NO_PATIENT, "before the conflict"
    assert book(other_api, external_id="SAME")["id"] != first["id"]
    send(api, "DELETE", f"{APPOINTMENTS}/{first['id']}")
    assert book(api, external_id="SAME")["id"] != first["id"]


def test_healos_77_a_patient_who_is_renamed_has_the_new_name_in_appointments(api: Client) -> None:
    made = book(api)
    path, patient = f"{APPOINTMENTS}/{made['id']}", f"{PATIENTS}/{made['patient_id']}"
    tag = api.get(path)["ETag"]
    send(api, "PATCH", patient, {"notes": "other"})
    assert api.get(path, headers={"if-none-match": tag}).status_code == 304
    send(api, "PATCH", patient, {"name": "Maria Lopes"})
    answer = api.get(path, headers={"if-none-match": tag})
    assert (answer.status_code, answer.json()["data"]) == (200, made | {"patient_name": "Maria Lopes"})
    assert api.get(APPOINTMENTS).json()["data"] == [made | {"patient_name": "Maria Lopes"}]


def test_healos_105_if_match_changes_only_the_version_that_it_names(api: Client) -> None:
    made = book(api)
    path = f"{APPOINTMENTS}/{made['id']}"
    assert send(api, "PATCH", path, {"notes": "a"}, headers={"if-match": '"1"'})["ETag"] == '"2"'
    for method, body in (("PATCH", {"notes": 5}), ("PATCH", {"patient_id": "1"}), ("DELETE", None)):
        answer = send(api, method, path, body, headers={"if-match": '"1"'})
        assert (answer.status_code, answer.json()) == (412, {"error": "Version conflict"})
    assert api.get(path).json()["data"]["notes"] == "a"
    assert send(api, "DELETE", path, headers={"if-match": '"2"'}).status_code == 200


def test_healos_107_a_deleted_appointment_can_be_restored(api: Client) -> None:
    made = book(api, external_id="E", repeat_rule=WEEKLY)
    path = f"{APPOINTMENTS}/{made['id']}"
    assert send(api, "POST", f"{path}/restore").json() == {"data": made}, "one that is not deleted stays as it is"
    send(api, "DELETE", path)
    assert send(api, "POST", f"{path}/restore").json() == {"data": made}
    assert api.get(path).json() == {"data": made}
    send(api, "DELETE", path)
    later = book(api, external_id="E")
    answer = send(api, "POST", f"{path}/restore")
    assert (answer.status_code, answer.json()) == (409, {"error": "external_id already exists", "data": later})
    send(api, "DELETE", f"{APPOINTMENTS}/{later['id']}")
    with time_machine.travel(timezone.now() + timedelta(days=30, minutes=1), tick=False):
        assert send(api, "POST", f"{path}/restore").content == ABSENT


def test_healos_107_appointments_go_and_come_back_with_their_patient(api: Client) -> None:
    kept, dropped = book(api, external_id="K"), {}
    patient = f"{PATIENTS}/{kept['patient_id']}"
    dropped = book(api, patient_id=kept["patient_id"])
    send(api, "DELETE", f"{APPOINTMENTS}/{dropped['id']}")
    send(api, "DELETE", patient)
    for one in (kept, dropped):
        assert api.get(f"{APPOINTMENTS}/{one['id']}").content == ABSENT
        assert send(api, "POST", f"{APPOINTMENTS}/{one['id']}/restore").content == ABSENT
    assert send(api, "POST", f"{patient}/restore").status_code == 200
    assert api.get(APPOINTMENTS).json()["data"] == [kept]
    assert send(api, "POST", f"{APPOINTMENTS}/{dropped['id']}/restore").json()["data"] == dropped


def test_healos_107_an_external_id_that_was_taken_keeps_the_patient_deleted(api: Client, make_key: MakeKey) -> None:
    kept = book(api, external_id="K")
    patient = f"{PATIENTS}/{kept['patient_id']}"
    send(api, "DELETE", patient)
    later = book(api, external_id="K")
    answer = send(api, "POST", f"{patient}/restore")
    assert (answer.status_code, answer.json()) == (409, {"error": "external_id already exists", "data": later})
    writer = with_key(make_key(scopes=["patients:read", "patients:write"])[1])
    assert send(writer, "POST", f"{patient}/restore").json() == {"error": "external_id already exists"}, "and no more"
    assert Patient.objects.get(id=kept["patient_id"]).deleted_at is not None
    assert Appointment.objects.get(id=kept["id"]).deleted_with_patient


def test_healos_9_11_12_a_key_does_what_its_scopes_say(api: Client, make_key: MakeKey) -> None:
    made = book(api)
    for scopes, expected in {
        ("patients:read",): (200, 403, 403),
        ("patients:write",): (403, 201, 403),
        ("appointments:read", "appointments:write"): (403, 403, 200),
    }.items():
        client = with_key(make_key(scopes=list(scopes))[1])
        answers = [client.get(PATIENTS), send(client, "POST", PATIENTS, {"name": "A"}), client.get(APPOINTMENTS)]
        assert tuple(answer.status_code for answer in answers) == expected, scopes
    path, body = f"{APPOINTMENTS}/{made['id']}", {"patient_id": made["patient_id"], "start_at": START}
    reader = with_key(make_key(scopes=["appointments:read"])[1])
    writer = with_key(make_key(scopes=["appointments:write"])[1])
    assert [reader.get(APPOINTMENTS).status_code, writer.get(path).status_code] == [200, 403]
    assert send(reader, "POST", APPOINTMENTS, body).json() == {"error": "Insufficient scope"}
    assert send(writer, "POST", APPOINTMENTS, body).status_code == 201, "no scope on patients is needed"
    head = reader.head(path)
    assert (head.status_code, head.content) == (200, b"")


def test_every_call_is_on_the_record_and_never_what_it_was_about(api: Client) -> None:
    made = book(api, appointment_type="Canary", notes="canary notes", external_id="canary")
    path = f"{APPOINTMENTS}/{made['id']}"
    api.get(path)
    api.get(f"{APPOINTMENTS}?external_id=canary")
    send(api, "PATCH", path, {"notes": "canary other"})
    send(api, "DELETE", path)
    send(api, "POST", f"{path}/restore")
    events = AuditEvent.objects.filter(object_type="appointment").order_by("id")
    expected = ["created", "read", "listed", "changed", "deleted", "restored"]
    assert [event.action for event in events] == [f"appointment.{verb}" for verb in expected]
    assert [event.object_id for event in events] == [made["id"], made["id"], "", *[made["id"]] * 3]
    assert "anary" not in str(list(events.values()))

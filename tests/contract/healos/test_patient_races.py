"""Callers who write the same at once, over real connections: the contract's lines 40, 41 and 106."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEvent
from apps.patients.models import Appointment, Patient
from apps.patients.selectors import count_records
from helios_site.models import IdempotentReply
from tests.conftest import RECORDINGS, MakeKey, Server
from tests.contract.healos import patients
from tests.contract.healos.appointments import APPOINTMENTS, START
from tests.contract.healos.calls import send, with_key
from tests.contract.healos.patients import PATIENTS

Call = Callable[..., tuple[int, Any]]
pytestmark = RECORDINGS


@pytest.fixture
def raw_key(server: Server, make_key: MakeKey) -> str:
    return make_key()[1]


@pytest.fixture
def post(server: Server, raw_key: str) -> Call:
    """`post(path, body, **headers)` over a connection of its own → status and body."""

    def call(path: str, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
        sent = {"x-api-key": raw_key, "content-type": "application/json", **headers}
        with server.connect() as connected:
            connected.request("POST", path, json.dumps(body), sent)
            response = connected.getresponse()
            return response.status, json.loads(response.read())

    return call


def at_once(number: int, call: Callable[[int], tuple[int, Any]]) -> list[tuple[int, Any]]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(call, range(number)))


@pytest.mark.parametrize("clients", [2, 50])
def test_healos_40_of_those_who_race_for_an_external_id_one_wins(post: Call, raw_key: str, clients: int) -> None:
    body = {"name": "Maria Santos", "external_id": "PARTNER-1"}
    replies = at_once(clients, lambda number: post(PATIENTS, body | {"notes": f"of client {number}"}))
    assert Counter(status for status, _ in replies) == {201: 1, 409: clients - 1}
    [won] = [reply["data"] for status, reply in replies if status == 201]
    conflict = {"error": "external_id already exists", "data": won}
    assert all(reply == conflict for status, reply in replies if status == 409)
    patient = Patient.objects.get()
    assert (str(patient.pk), count_records(patient.organization_id, "patient")) == (won["id"], 1)
    assert AuditEvent.objects.filter(action="patient.created").count() == 1


def test_healos_40_41_76_of_50_who_race_for_that_of_an_appointment_one_wins(post: Call, raw_key: str) -> None:
    patient_id = patients.create(with_key(raw_key), external_id="SAME")["id"]
    body = {"patient_id": patient_id, "start_at": START, "external_id": "SAME"}
    replies = at_once(50, lambda _: post(APPOINTMENTS, body))
    assert Counter(status for status, _ in replies) == {201: 1, 409: 49}
    [won] = [reply["data"] for status, reply in replies if status == 201]
    assert {reply["data"]["id"] for _, reply in replies} == {won["id"]}
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("path", [PATIENTS, APPOINTMENTS])
def test_healos_106_of_50_equal_calls_with_one_key_one_is_done(post: Call, raw_key: str, path: str) -> None:
    client = with_key(raw_key)
    body: dict[str, Any] = {"name": "Maria Santos"}
    if path == APPOINTMENTS:
        body = {"patient_id": patients.create(client)["id"], "start_at": START}
    key = {"idempotency-key": "key-1"}
    replies = at_once(50, lambda _: post(path, body, **key))
    done = [reply for status, reply in replies if status == 201]
    assert done
    assert all(reply == done[0] for reply in done)
    under_way = {"error": "The first call with this Idempotency-Key is still under way."}
    assert all(reply == under_way for status, reply in replies if status != 201)
    assert {status for status, _ in replies} <= {201, 409}
    assert post(path, body, **key) == (201, done[0])
    model = Patient if path == PATIENTS else Appointment
    assert model.objects.count() == IdempotentReply.objects.count() == 1
    status, reply = post(path, body | {"notes": "other"}, **key)
    assert (status, list(reply)) == (422, ["error"])
    assert model.objects.count() == 1
    assert AuditEvent.objects.filter(action__endswith=".created", object_id=done[0]["data"]["id"]).count() == 1


@pytest.mark.django_db
def test_healos_106_a_refusal_is_kept_as_well(api: Client) -> None:
    key = {"idempotency-key": "key-2"}
    first = send(api, "POST", PATIENTS, {"name": ""}, headers=key)
    again = send(api, "POST", PATIENTS, {"name": ""}, headers=key)
    assert (first.status_code, again.status_code, again.content) == (400, 400, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert send(api, "POST", PATIENTS, {"name": "A"}, headers=key).status_code == 422
    assert not Patient.objects.exists()

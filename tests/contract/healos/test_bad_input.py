"""What patients and appointments make of input that no client should send: never a 500, never a stored half."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization
from apps.patients.models import Appointment, Patient
from tests.conftest import RECORDINGS, MakeKey, Server
from tests.contract.healos import patients
from tests.contract.healos.appointments import APPOINTMENTS, START, book, details
from tests.contract.healos.calls import send
from tests.contract.healos.conftest import SignIn
from tests.contract.healos.patients import PATIENTS

pytestmark = pytest.mark.django_db
NO_JSON = {"error": "Invalid JSON body"}
WRONG_TYPE = {"error": "Content-Type must be application/json"}
TOO_LARGE = {"error": "The body has more than 1048576 bytes"}


def raw(client: Client, method: str, path: str, body: bytes, content_type: str = "application/json") -> Any:
    return client.generic(method, path, body, content_type=content_type)


Target = tuple[str, str, dict[str, Any]]  # method, path, and a body that would be taken


@pytest.fixture
def targets(api: Client) -> Iterator[list[Target]]:
    """Every operation that takes a body. At the end all is as it was."""
    made = book(api, notes="as it was")
    patient_id = made["patient_id"]
    before = [list(model.objects.order_by("id").values()) for model in (Patient, Appointment)]
    yield [
        ("POST", PATIENTS, {"name": "Maria Santos"}),
        ("PATCH", f"{PATIENTS}/{patient_id}", {"name": "Eva"}),
        ("POST", APPOINTMENTS, {"patient_id": patient_id, "start_at": START}),
        ("PATCH", f"{APPOINTMENTS}/{made['id']}", {"notes": "other"}),
    ]
    assert [list(model.objects.order_by("id").values()) for model in (Patient, Appointment)] == before


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", NO_JSON),
        (b"{", NO_JSON),
        (b'{"name": "A",}', NO_JSON),
        (b'{"name": NaN}', NO_JSON),
        (b'{"duration_minutes": 1e999}', NO_JSON),
        (b'{"duration_minutes": ' + b"9" * 5000 + b"}", NO_JSON),
        (b'{"name": "\xff"}', NO_JSON),
        (b'{"name": "\\ud800"}', NO_JSON),  # a lone surrogate, which no answer could quote
        (b'{"\\udfff": 1}', NO_JSON),
        (b"[" * 100_000, NO_JSON),
        (b'{"name":' * 5_000 + b"1" + b"}" * 5_000, NO_JSON),
        (b'{"name": ' + b"[" * 100 + b"]" * 100 + b"}", None),
        (b"[]", {"error": "Validation error", "details": {}}),
        (b'[{"name": "A"}]', {"error": "Validation error", "details": {}}),
        (b'"A"', {"error": "Validation error", "details": {}}),
        (b"null", {"error": "Validation error", "details": {}}),
        (b'{"name": "' + b"A" * (10 * 2**20) + b'"}', TOO_LARGE),
        (b'{"name": "A\\u0000"}', None),
        (b'{"notes": "\\u0000"}', None),
        (b'{"name": {"first": "Maria"}, "notes": {"a": null}}', None),
        (b'{"name": [null, {"a": [null]}], "notes": [[]]}', None),
        (b'{"__proto__": {}, "constructor": 1}', None),
    ],
)
def test_healos_35_75_96_a_body_that_cannot_be_taken_is_400(
    api: Client, targets: list[Target], body: bytes, answer: Any
) -> None:
    for method, path, _ in targets:
        refused = raw(api, method, path, body)
        assert refused.status_code == 400, (method, path)
        if answer is None:
            assert details(refused), (method, path)
        else:
            assert refused.json() == answer, (method, path)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=",
     "application/merge-patch+json", "application/json-patch+json", "", "\u00e4", "application/json/x"],
)  # fmt: skip
def test_another_content_type_is_400(api: Client, targets: list[Target], content_type: str) -> None:
    for method, path, body in targets:
        refused = raw(api, method, path, json.dumps(body).encode(), content_type)
        assert (refused.status_code, refused.json()) == (400, WRONG_TYPE)


def test_a_content_type_has_parameters_and_any_case(api: Client) -> None:
    body = json.dumps({"name": "Zoë"}, ensure_ascii=False)
    for content_type, encoding in (("Application/JSON; charset=utf-8", "utf-8"), ("application/json", "utf-16")):
        made = raw(api, "POST", PATIENTS, body.encode(encoding), content_type)
        assert (made.status_code, made.json()["data"]["name"]) == (201, "Zoë")


def test_of_a_key_that_is_sent_twice_the_last_counts(api: Client) -> None:
    made = raw(api, "POST", PATIENTS, b'{"name": 5, "consent": false, "name": "Eva", "consent": true}').json()["data"]
    assert (made["name"], made["consent"]) == ("Eva", True)
    body = b'{"patient_id": "1", "start_at": "%s", "patient_id": "%s"}' % (START.encode(), made["id"].encode())
    assert raw(api, "POST", APPOINTMENTS, body).json()["data"]["patient_id"] == made["id"]
    refused = raw(api, "PATCH", f"{PATIENTS}/{made['id']}", b'{"name": "Ana", "name": ""}')
    assert list(details(refused)) == ["name"]


@pytest.mark.parametrize(
    "text",
    [
        " ", "😀", "👩‍👩‍👧‍👦" * 36, "\u202emaria\u202c", "مريم الحسن", "\ufeff", "\u200b", "a\tb\nc\r", "\x01\x7f\x85",
        "'; DROP TABLE patients_patient; --", "<script>alert(1)</script>", "{{7*7}}", "%s %(name)s", "\U0010ffff\uffff",
        "e\u0301", "ﷺ" * 255, "İ" * 255, "null",
    ],
)  # fmt: skip
def test_any_other_text_is_kept_as_it_came(api: Client, text: str) -> None:
    patient = patients.create(api, name=text, notes=text, pronouns=text, external_id=text)
    assert [patient[name] for name in ("name", "notes", "pronouns", "external_id")] == [text] * 4
    assert api.get(f"{PATIENTS}/{patient['id']}").json()["data"] == patient
    [found] = api.get(PATIENTS, {"external_id": text}).json()["data"]
    assert found["name"] == text
    made = book(api, patient_id=patient["id"], appointment_type=text, notes=text, external_id=text)
    assert [made[name] for name in ("patient_name", "appointment_type", "notes", "external_id")] == [text] * 4
    assert api.get(APPOINTMENTS, {"external_id": text}).json()["data"] == [made]
    assert api.get(PATIENTS, {"search": text}).status_code == 200


def test_characters_are_counted_and_not_their_bytes(api: Client) -> None:
    assert patients.create(api, name="😀" * 255)["name"] == "😀" * 255
    assert list(details(send(api, "POST", PATIENTS, {"name": "😀" * 256}))) == ["name"]
    notes = "é" * 100_000
    assert patients.create(api, notes=notes)["notes"] == notes
    assert list(details(send(api, "POST", PATIENTS, {"name": "A", "notes": notes + "é"}))) == ["notes"]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-02-30T10:00:00Z", "2025-02-29T10:00:00Z", "2026-13-01T10:00:00Z", "2026-04-15T24:00:00Z",
        "2026-04-15T23:59:60Z", "2026-04-15T10:00:00+24:00", "2026-04-15T10:00:00+05", "2026-04-15 10:00:00Z",
        "2026-04-15T10:00:00.Z", "2026-04-15T10:00:00z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "2026-04-15T10:00:00Z\n",
        "2026-W16-3T10:00:00Z", "1776261600", "",
    ],
)  # fmt: skip
def test_healos_68_69_a_moment_that_is_none_is_400(api: Client, targets: list[Target], moment: str) -> None:
    for method, path, body in targets[2:]:
        assert details(send(api, method, path, body | {"start_at": moment})) == {"start_at": ["Invalid datetime"]}


@pytest.mark.parametrize("value", [0, 1, True, 1.5, [], {}, ["2026-04-15"], {"year": 2026}])
def test_what_is_of_another_type_is_400(api: Client, targets: list[Target], value: Any) -> None:
    for method, path, body in targets:
        fields = ["name", "pronouns", "notes"] if "patients" in path else ["patient_id", "start_at", "notes"]
        assert set(details(send(api, method, path, body | dict.fromkeys(fields, value)))) == set(fields)
    rule = {"frequency": value, "interval": [value], "end_date": value or [value]}
    method, path, body = targets[2]
    assert list(details(send(api, method, path, body | {"repeat_rule": rule}))) == ["repeat_rule"]


@pytest.mark.parametrize("path", [PATIENTS, APPOINTMENTS])
@pytest.mark.parametrize(
    "query",
    ["external_id=%00", "external_id=%ED%A0%80", "external_id=%FF", "page=%00", "sort=%00", "limit=%D9%A3",
     "page[]=1&page=x", "sort=id;drop", "search=%00&patient_id=%00"],
)  # fmt: skip
def test_a_query_that_is_none_is_never_a_fault(api: Client, path: str, query: str) -> None:
    assert details(api.get(f"{path}?{query}"))


@pytest.mark.parametrize("path", ["patients", "appointments"])
def test_a_restore_takes_an_empty_body_or_an_object(api: Client, path: str) -> None:
    made = book(api)
    one = f"/ext-api/v1/{path}/{made['id'] if path == 'appointments' else made['patient_id']}"
    assert send(api, "POST", f"{one}/restore", {}).status_code == send(api, "POST", f"{one}/restore").status_code == 200
    assert raw(api, "POST", f"{one}/restore", b"{").json() == NO_JSON


def test_forms_of_the_browsable_api_are_read_as_strictly(sign_in: SignIn, organization: Organization) -> None:
    client = sign_in(organization, "member", password="a long password")
    browse = "/browse/ext-api/v1"
    accept = {"accept": "application/json"}
    patient = client.post(f"{browse}/patients", {"name": "Ana"}, headers=accept).json()["data"]
    form = {
        "patient_id": patient["id"],
        "start_at": START,
        "duration_minutes": "50",
        "notes": "",
        "visit_type": "Both",
        "repeat_rule": '{"frequency": "DAILY"}',
    }
    made = client.post(f"{browse}/appointments", form, headers=accept)
    assert made.status_code == 201, made.content
    data = made.json()["data"]
    assert (data["visit_type"], data["repeat_rule"]["frequency"], data["duration_minutes"]) == ("Both", "DAILY", 50)
    refused = client.post(f"{browse}/appointments", form | {"repeat_rule": "{", "notes": "n"}, headers=accept)
    assert details(refused) == {"repeat_rule": ["Expected object, received string"]}
    for number in ("NaN", "Infinity"):
        rule = f'{{"frequency": "DAILY", "interval": {number}}}'
        refused = client.post(f"{browse}/appointments", form | {"repeat_rule": rule, "notes": "n"}, headers=accept)
        assert details(refused) == {"repeat_rule": ["Expected object, received string"]}
    for page in ("appointments", f"appointments/{data['id']}"):
        assert b"repeat_rule" in client.get(f"{browse}/{page}", headers={"accept": "text/html"}).content
    for parameters in ("", "; boundary=", "; boundary=\u00e4", "; boundary=x"):
        content_type = f"multipart/form-data{parameters}"
        answer = client.generic("POST", f"{browse}/patients", b"name=Eva", content_type=content_type, headers=accept)
        assert answer.status_code == 400, content_type
    assert Patient.objects.count() == Appointment.objects.count() == 1


@RECORDINGS
def test_ten_megabytes_are_refused_before_they_are_read(server: Server, make_key: MakeKey) -> None:
    headers = {"x-api-key": make_key()[1], "content-type": "application/json", "content-length": str(10 * 2**20)}
    with server.connect() as connected:
        connected.request("POST", PATIENTS, None, headers)
        response = connected.getresponse()
        assert (response.status, json.loads(response.read())) == (400, TOO_LARGE)
    assert not Patient.objects.exists()

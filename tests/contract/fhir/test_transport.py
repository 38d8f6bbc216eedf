"""Who may call `/fhir`, and what every reply has in common."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization
from helios_site.env import Rate
from tests.conftest import MakeKey
from tests.contract.fhir.records import MEDIA_TYPE, issue, make_patient

pytestmark = pytest.mark.django_db
KEPT = (
    "/fhir/Patient/1",
    "/fhir/Appointment/1",
    "/fhir/DocumentReference/1",
    "/fhir/Observation",
    "/fhir/Observation/1",
)
OPEN = ("/fhir/metadata", "/fhir/CodeSystem/wellness-scores")
UNKNOWN = (
    "/fhir",
    "/fhir/",
    "/fhir/Patient",
    "/fhir/Medication/1",
    "/fhir/patient/1",
    "/fhir/Patient/1/_history",
    "/fhir/%00",
)
LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def assert_usual_headers(answer: Any) -> None:
    assert {name: answer[name].isdigit() for name in LIMITS} == dict.fromkeys(LIMITS, True)
    assert answer["X-Request-ID"]
    assert "Location" not in answer


def test_without_a_valid_key_401(make_key: MakeKey) -> None:
    raw_key = make_key()[1]
    for path in (*KEPT, *UNKNOWN):
        for client, text in (
            (Client(), "Send your API key in the header x-api-key."),
            (Client(headers={"authorization": f"Bearer {raw_key}"}), "Send your API key in the header x-api-key."),
            (Client(headers={"x-api-key": "hlsk_wrong"}), "Invalid or expired API key."),
        ):
            answer = client.get(path)
            assert issue(answer, 401) == ("login", text)
            assert answer["WWW-Authenticate"] == "ApiKey"
            assert_usual_headers(answer)
    assert issue(Client().get("/fhir/Patient/1", {"x-api-key": raw_key}), 401)[0] == "login"


@pytest.mark.parametrize(
    ("path", "scope"),
    [(KEPT[0], "patients:read"), (KEPT[1], "appointments:read"), (KEPT[2], "documents:read")],
)
def test_the_scope_of_the_record_is_needed_and_comes_before_the_record(
    make_key: MakeKey, path: str, scope: str
) -> None:
    others = sorted({"patients:read", "appointments:read", "documents:read", "patients:write"} - {scope})
    answer = Client(headers={"x-api-key": make_key(scopes=others)[1]}).get(path)
    assert issue(answer, 403)[0] == "forbidden"
    assert_usual_headers(answer)
    issue(Client(headers={"x-api-key": make_key(scopes=[scope])[1]}).get(path), 404)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_an_unknown_path_is_404(api: Client, method: str) -> None:
    for path in UNKNOWN:
        answer = api.generic(method, path)
        assert_usual_headers(answer)
        if method == "HEAD":
            assert (answer.status_code, answer.content) == (404, b"")
        else:
            assert issue(answer, 404)[0] == "not-found"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_is_written(make_key: MakeKey, method: str) -> None:
    client = Client(headers={"x-api-key": make_key(scopes=["usage:read"])[1]})
    for path in (*KEPT, *OPEN, "/fhir/Observation/_search"):
        answer = client.generic(method, path, b"{", content_type=MEDIA_TYPE)
        assert issue(answer, 405)[0] == "not-supported"
        assert sorted(answer["Allow"].split(", ")) == ["GET", "HEAD"]
        assert_usual_headers(answer)


def test_a_slash_at_the_end_never_redirects(api: Client, organization: Organization) -> None:
    patient = make_patient(organization)
    for path in (f"/fhir/Patient/{patient.pk}", *OPEN):
        assert api.get(f"{path}/").content == api.get(path).content
    assert api.get(f"/fhir/Observation/?patient={patient.pk}").status_code == 200
    assert api.post("/fhir/metadata/").status_code == 405


@pytest.mark.parametrize("accept", ["text/html", "application/fhir+xml", "application/json", "image/png", ""])
def test_it_is_json_whatever_is_accepted(api: Client, organization: Organization, accept: str) -> None:
    patient = make_patient(organization)
    for path in (f"/fhir/Patient/{patient.pk}", *OPEN, "/fhir/nothing"):
        for query in ("", "?_format=html", "?_format=application/fhir%2Bjson", "?format=xml"):
            answer = api.get(f"{path}{query}", headers={"accept": accept})
            assert answer["Content-Type"] == MEDIA_TYPE
            assert answer.json()["resourceType"]


def test_the_bucket_is_that_of_the_same_records_in_healos(make_key: MakeKey) -> None:
    client = Client(headers={"x-api-key": make_key(rate_limit_per_minute=3)[1]})
    seen = [client.get("/ext-api/v1/key"), client.get("/fhir/Patient/1"), client.get("/fhir/nothing")]
    assert [answer["X-RateLimit-Remaining"] for answer in seen] == ["2", "1", "0"]
    for path in (*KEPT, "/fhir/nothing"):
        answer = client.get(path)
        assert issue(answer, 429)[0] == "throttled"
        assert 1 <= int(answer["Retry-After"]) <= 60
        assert answer["X-RateLimit-Limit"] == "3"


def test_what_is_open_counts_by_address(settings: Any) -> None:
    settings.HEALOS_RATE_LIMIT = Rate(2, 60)
    answers = [Client().get("/fhir/metadata") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert issue(answers[2], 429)[0] == "throttled"
    assert Client().get("/fhir/metadata", REMOTE_ADDR="198.51.100.77").status_code == 200


def test_a_fault_is_a_500_without_trace(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.fhir.selectors.find_patient", break_down)
    api.raise_request_exception = False
    answer = api.get("/fhir/Patient/1")
    assert issue(answer, 500)[0] == "exception"
    assert b"secret" not in answer.content
    assert_usual_headers(answer)


def test_a_host_that_is_not_ours_is_a_400_of_the_family(api: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["helios.example.org"]
    assert issue(api.get("/fhir/Patient/1", headers={"host": "evil.example"}), 400)[0] == "invalid"


def test_an_idempotency_key_changes_nothing(api: Client) -> None:
    assert api.get("/fhir/metadata", headers={"idempotency-key": "é"}).status_code == 200
    issue(api.post("/fhir/Observation", headers={"idempotency-key": "a"}), 405)

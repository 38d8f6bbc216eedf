"""Who may call, in which form, and what every reply has in common."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from apps.accounts.audit import SYSTEM
from apps.api_keys.services import revoke_key
from apps.api_keys.tokens import generate
from apps.model_runs.models import ModelRun
from tests.conftest import MakeKey
from tests.contract.helios.calls import RUNS, UNKNOWN_ID, create, minimal_body, post, put, read
from tests.contract.helios.conftest import OK, finish, start

ENDPOINTS = [
    ("GET", "/v1/account"),
    ("GET", RUNS),
    ("POST", RUNS),
    ("GET", f"{RUNS}/{UNKNOWN_ID}"),
    ("DELETE", f"{RUNS}/{UNKNOWN_ID}"),
    ("GET", f"/v1/models/{UNKNOWN_ID}"),
    ("POST", "/v1/models/mental-wellness-activity"),
    ("POST", "/v1/models/apollo"),
    ("OPTIONS", RUNS),
]
UNAUTHORIZED = {"detail": "Invalid API key"}


def call(client: Client, method: str, path: str, **extra: Any) -> Any:
    return client.generic(method, path, b"{}", content_type="application/json", **extra)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_2_no_key_is_401_and_makes_nothing(method: str, path: str) -> None:
    response = call(Client(), method, path)
    assert (response.status_code, response.json()) == (401, UNAUTHORIZED)
    assert response["WWW-Authenticate"] == "ApiKey"
    assert not ModelRun.objects.exists()


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_3_unknown_and_revoked_keys_are_401(method: str, path: str, make_key: MakeKey) -> None:
    key, revoked = make_key()
    revoke_key(actor=SYSTEM, key_id=key.id, reason="test")
    for raw in (generate(), revoked, "hlsk_wrong", "ü"):
        response = call(Client(), method, path, headers={"x-api-key": raw})
        assert (response.status_code, response.json()) == (401, UNAUTHORIZED)


def test_4_a_key_elsewhere_than_in_its_header_is_401(make_key: MakeKey) -> None:
    raw = make_key()[1]
    client = Client()
    assert client.get("/v1/account", headers={"authorization": f"Bearer {raw}"}).status_code == 401
    assert client.get(f"/v1/account?x-api-key={raw}&api_key={raw}").status_code == 401
    client.cookies["x-api-key"] = raw
    assert client.get("/v1/account").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_5_the_header_may_be_in_any_letter_case(live_server: Any, make_key: MakeKey) -> None:
    raw = make_key()[1]
    for name in ("x-api-key", "X-API-Key", "X-API-KEY", "x-Api-kEy"):
        connection = http.client.HTTPConnection(urlsplit(live_server.url).netloc, timeout=10)
        connection.request("GET", "/v1/account", headers={name: raw})
        response = connection.getresponse()
        assert response.status == 200
        response.read()
        connection.close()


def test_6_another_organisations_run_is_a_404_like_any_unknown_one(api: Client, other_api: Client) -> None:
    run_id = create(api)["id"]
    for method in ("GET", "DELETE"):
        foreign = call(other_api, method, f"{RUNS}/{run_id}")
        unknown = call(other_api, method, f"{RUNS}/{UNKNOWN_ID}")
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content == unknown.content == b'{"detail":"Model run not found"}'
    assert read(api, run_id)["id"] == run_id


@pytest.mark.parametrize("slash", ["", "/"])
def test_7_paths_answer_with_and_without_a_slash_and_never_redirect(api: Client, slash: str) -> None:
    response = api.post(RUNS + slash, minimal_body(), content_type="application/json")
    assert response.status_code == 200
    run_id = response.json()["id"]
    for path in ("/v1/account", RUNS, f"{RUNS}/{run_id}", f"/v1/models/{run_id}"):
        assert api.get(path + slash).status_code == 200
    assert api.delete(f"{RUNS}/{run_id}{slash}").status_code == 200


def keys_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def test_8_keys_are_camel_case_and_replies_json(api: Client, finished: str) -> None:
    responses = [
        api.get("/v1/account"),
        post(api, minimal_body()),
        api.get(RUNS),
        api.get(f"{RUNS}/{finished}"),
        api.delete(f"{RUNS}/{finished}"),
    ]
    seen: set[str] = set()
    for response in responses:
        assert response["Content-Type"] == "application/json"
        seen |= set(keys_of(response.json()))
    assert len(seen) > 50
    assert [key for key in seen if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", key)] == []


def test_9_times_carry_an_offset(api: Client, finished: str) -> None:
    body = read(api, finished)
    for name in ("createdAt", "runAt", "completedAt"):
        assert datetime.fromisoformat(body[name]).utcoffset() is not None


def test_10_the_description_lists_the_paths_and_the_key_header() -> None:
    response = Client().get("/openapi.json")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    description = response.json()
    assert description["openapi"].startswith("3.1")
    # Webhooks, users and usage are ours; other families have tests of their own.
    theirs = {path for path in description["paths"] if path.startswith(("/v1/", "/uploads/"))}
    assert {path for path in theirs if not path.startswith(("/v1/webhooks", "/v1/users/", "/v1/usage"))} == {
        "/v1/account",
        "/v1/models/mental-wellness",
        "/v1/models/mental-wellness-activity",
        "/v1/models/mental-wellness/{model_run_id}",
        "/v1/models/{model_run_id}",
        "/uploads/{model_run_id}",
    }
    scheme = description["components"]["securitySchemes"]["apiKey"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "x-api-key")
    assert {
        "MentalWellnessModelRunResponse",
        "MentalWellnessPartResult",
        "MentalWellnessValue",
        "MentalWellnessContinuousValue",
        "HTTPValidationError",
    } <= set(description["components"]["schemas"])
    create_operation = description["paths"]["/v1/models/mental-wellness"]["post"]
    assert "200" in create_operation["responses"]
    assert "201" not in create_operation["responses"]


def test_77_times_have_one_form(api: Client, finished: str) -> None:
    body = read(api, finished)
    for name in ("createdAt", "runAt", "completedAt"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", body[name])


def test_78_no_reply_has_a_status_that_the_contract_lacks(api: Client, make_key: MakeKey) -> None:
    """201, 202, 400 and 410 are what the framework would send for these calls, and the contract never does."""
    run_id = start(api)
    finish(run_id, OK)
    url = create(api)["recordingUploadUrl"]
    weak = Client(headers={"x-api-key": make_key(scopes=["model_runs:read"])[1]})
    statuses = {
        post(api, minimal_body()).status_code,
        post(api, "{").status_code,
        post(api, "").status_code,
        post(api, b"\xff").status_code,
        post(api, {"user": {}}).status_code,
        post(api, "a=b", content_type="application/x-www-form-urlencoded").status_code,
        post(api, "--x", content_type="multipart/form-data").status_code,
        post(weak, minimal_body()).status_code,
        api.get("/v1/account", headers={"host": "evil.example"}).status_code,
        api.get(f"{RUNS}?" + "&".join("a=b" for _ in range(2000))).status_code,
        api.get("/v1/nothing").status_code,
        api.get(f"{RUNS}/not-an-id").status_code,
        api.get(f"{RUNS}?cursor=x").status_code,
        api.put(RUNS).status_code,
        put(api, url, b"").status_code,
        api.delete(f"{RUNS}/{run_id}").status_code,
        api.get(f"{RUNS}/{run_id}").status_code,
    }
    assert statuses == {200, 403, 404, 405, 422}


@pytest.mark.parametrize("extra", [{"accept": "text/plain"}, {"accept": "text/html"}, {"accept": "image/png"}, {}])
def test_79_the_reply_is_json_whatever_is_asked_for(api: Client, extra: dict[str, str]) -> None:
    run_id = create(api)["id"]
    for path, status in (("/v1/account", 200), (RUNS, 200), (f"{RUNS}/{run_id}", 200), (f"{RUNS}/x", 422)):
        response = api.get(f"{path}?format=xml", headers=extra)
        assert (response.status_code, response["Content-Type"]) == (status, "application/json")
        assert response.json()


def test_405_names_the_methods_and_comes_before_the_scope(make_key: MakeKey) -> None:
    client = Client(headers={"x-api-key": make_key(scopes=["patients:read"])[1]})
    for method in ("PUT", "PATCH", "OPTIONS", "TRACE", "QUERY"):
        response = call(client, method, RUNS)
        assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})
        assert sorted(response["Allow"].split(", ")) == ["GET", "HEAD", "POST"]


def test_unknown_paths_and_paths_not_built_are_404(api: Client) -> None:
    for method, path in (
        ("GET", "/v1/"), ("GET", "/v1/models"), ("GET", "/v1/users"),
        ("POST", "/v1/models/apollo"), ("GET", f"/v1/models/apollo/{UNKNOWN_ID}"),
    ):  # fmt: skip
        response = call(api, method, path)
        assert (response.status_code, response.json()) == (404, {"detail": "Not Found"}), path


def test_a_fault_is_a_500_without_trace(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.model_runs.selectors.list_runs", break_down)
    api.raise_request_exception = False
    response = api.get(RUNS)
    assert (response.status_code, response.json()) == (500, {"detail": "Internal Server Error"})
    assert response["X-RateLimit-Limit"] == "600"
    assert b"secret" not in response.content


def test_no_cors_headers(api: Client) -> None:
    response = api.get("/v1/account", headers={"origin": "https://example.org"})
    assert not [name for name in response.headers if name.lower().startswith("access-control")]

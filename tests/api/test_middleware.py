"""What every response gets: request id, log line, limit headers, TLS."""

from __future__ import annotations

import json
import logging
import re
import uuid
from typing import Any

import pytest
import structlog
from django.conf import settings as real_settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from helios_site.api.after_response import after_response
from helios_site.api.context import RequestContext, current_request
from helios_site.api.middleware import ApiResponseMiddleware, RequestContextMiddleware, RequireTlsMiddleware
from helios_site.env import Rate

LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.fixture(autouse=True)
def _patient(settings: Settings) -> None:
    """Exact counts need Redis, which on a busy machine may take longer than the usual 50 ms."""
    settings.RATE_LIMIT_BUDGET_SECONDS = 5.0


def limits(response: Any) -> tuple[int, int, int]:
    limit, remaining, reset = (int(response.headers[name]) for name in LIMIT_HEADERS)
    return limit, remaining, reset


# -- Request ids and context ------------------------------------------------------------------------


def test_every_response_has_a_request_id() -> None:
    ids = {Client().get("/livez").headers["X-Request-ID"] for _ in range(3)}
    assert len({uuid.UUID(one) for one in ids}) == 3


@pytest.mark.parametrize("sent", ["abc", "A.b_c-1", "x" * 64])
def test_a_callers_own_request_id_is_kept(sent: str) -> None:
    assert Client().get("/livez", headers={"x-request-id": sent}).headers["X-Request-ID"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "a\u00e9", 'a"b', "a;b", "<x>"])
def test_a_request_id_of_another_form_is_replaced(sent: str) -> None:
    answered = Client().get("/livez", headers={"x-request-id": sent}).headers["X-Request-ID"]
    assert uuid.UUID(answered)


def through_context(view: Any, request: HttpRequest) -> HttpResponse:
    return RequestContextMiddleware(view)(request)  # type: ignore[return-value]


def test_the_request_is_known_while_it_is_served_and_forgotten_afterwards() -> None:
    seen: list[RequestContext] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(current_request())
        return HttpResponse()

    request = RequestFactory().post("/v1/x?token=secret", headers={"x-request-id": "abc"}, REMOTE_ADDR="10.0.0.9")
    through_context(view, request)
    assert seen == [RequestContext(id="abc", address="10.0.0.9", method="POST", path="/v1/x")]
    assert current_request() == RequestContext()


def test_the_request_is_forgotten_after_an_exception() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        through_context(view, RequestFactory().get("/"))
    assert current_request() == RequestContext()


def test_the_access_log_names_the_path_without_query_and_without_keys() -> None:
    raw_key = "hlsk_" + "0" * 38
    request = RequestFactory().get(f"/v1/models/{raw_key}?userLabel=someone", headers={"x-api-key": raw_key})
    with structlog.testing.capture_logs() as lines:
        through_context(lambda _: HttpResponse(status=404), request)
    (line,) = lines
    assert line["path"] == "/v1/models/hlsk_[redacted]"
    assert (line["method"], line["status"], line["log_level"]) == ("GET", 404, "info")
    assert line["milliseconds"] >= 0
    assert "someone" not in json.dumps(line)
    assert raw_key not in json.dumps(line)


def test_probes_do_not_fill_the_access_log() -> None:
    with structlog.testing.capture_logs() as lines:
        through_context(lambda _: HttpResponse(), RequestFactory().get("/livez"))
    assert [line["log_level"] for line in lines] == ["debug"]


# -- Work after the response ------------------------------------------------------------------------


@pytest.mark.django_db  # closing a response looks after connections
def test_work_is_done_when_the_response_is_closed_and_knows_its_request() -> None:
    done: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        after_response(request, lambda: done.append(current_request().id))
        return HttpResponse()

    response = through_context(view, RequestFactory().get("/", headers={"x-request-id": "abc"}))
    assert done == []
    response.close()
    assert done == ["abc"]
    assert current_request() == RequestContext()


@pytest.mark.django_db  # closing a response looks after connections
def test_an_error_in_such_work_is_logged_and_the_rest_still_done(caplog: pytest.LogCaptureFixture) -> None:
    done: list[bool] = []

    def view(request: HttpRequest) -> HttpResponse:
        after_response(request, lambda: [][0])
        after_response(request, lambda: done.append(True))
        return HttpResponse()

    with caplog.at_level(logging.ERROR):
        through_context(view, RequestFactory().get("/")).close()
    assert done == [True]
    assert "Work after a response failed." in caplog.text


# -- Limit headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/v1/account", 200),
        ("get", "/v1/account/", 200),
        ("post", "/v1/account", 405),
        ("options", "/v1/account", 405),
        ("get", "/v1/models/mental-wellness/nonsense", 422),
        ("get", f"/v1/models/mental-wellness/{uuid.UUID(int=1)}", 404),
        ("post", "/v1/models/mental-wellness", 422),
        ("get", "/v1/models/apollo/1", 404),
        ("get", "/v1/no-such-path", 404),
        ("get", "/v1/", 404),
    ],
)
def test_helios_87_every_response_of_the_api_carries_the_three_headers(
    api: Client, method: str, path: str, status: int
) -> None:
    response = getattr(api, method)(path)
    limit, remaining, reset = limits(response)
    assert response.status_code == status
    assert 0 <= remaining <= limit
    assert reset > 1_700_000_000


@pytest.mark.django_db
def test_healos_104_refused_calls_show_the_bucket_of_their_address() -> None:
    one, two = Client().get("/v1/account"), Client(headers={"x-api-key": "hlsk_wrong"}).get("/v1/account")
    rate: Rate = real_settings.RATE_LIMIT_FAILED_AUTH
    assert (one.status_code, two.status_code) == (401, 401)
    assert limits(one)[:2] == (rate.limit, rate.limit - 1)
    assert limits(two)[:2] == (rate.limit, rate.limit - 2)


def test_healos_104_above_it_429_replaces_401_and_a_valid_key_still_works(settings: Settings, api: Client) -> None:
    settings.RATE_LIMIT_FAILED_AUTH = Rate(2, 60)
    answers = [Client().get("/v1/account") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json() == {"detail": "Rate limit exceeded"}
    assert api.get("/v1/account").status_code == 200
    other_address = Client().get("/v1/account", REMOTE_ADDR="198.51.100.77")
    assert other_address.status_code == 401


def test_healos_92_remaining_falls_by_one_a_call_whatever_its_status(api: Client) -> None:
    paths = ["/v1/account", "/v1/models/mental-wellness", "/v1/account", "/v1/models/apollo"]
    remaining = [limits(api.get(path))[1] for path in paths]
    assert remaining == [599, 598, 597, 596]


def test_healos_93_over_the_limit_429_with_retry_after(make_key: Any) -> None:
    client = Client(headers={"x-api-key": make_key(rate_limit_per_minute=2)[1]})
    answers = [client.get("/v1/account") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [limits(answer)[:2] for answer in answers] == [(2, 1), (2, 0), (2, 0)]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60


def test_a_fault_inside_answers_json_with_the_headers(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.model_runs.viewsets import AccountViewSet

    def broken(self: Any, request: Any) -> Any:
        raise KeyError("a bug")

    monkeypatch.setattr(AccountViewSet, "retrieve", broken)
    api.raise_request_exception = False
    response = api.get("/v1/account")
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {"detail": "Internal Server Error"}
    assert limits(response)[:2] == (600, 599)


def test_other_paths_carry_no_limit_headers() -> None:
    assert "X-RateLimit-Limit" not in Client().get("/livez").headers


def test_a_response_that_was_charged_to_no_bucket_changes_none() -> None:
    answer = ApiResponseMiddleware(lambda _: HttpResponse(status=404))
    first, second = (answer(RequestFactory().get("/v1/nothing")) for _ in range(2))
    assert limits(first)[:2] == limits(second)[:2] == (100, 100)


# -- TLS ----------------------------------------------------------------------------------------------


def tls(request: HttpRequest) -> Any:
    return RequireTlsMiddleware(lambda _: HttpResponse("served"))(request)


@pytest.fixture
def _https(settings: Settings) -> None:
    settings.HELIOS_PUBLIC_BASE_URL = "https://helios.example.org"


@pytest.mark.usefixtures("_https")
def test_plain_http_is_sent_to_https_keeping_method_body_and_query() -> None:
    response = tls(RequestFactory().post("/v1/models/\u00e9?a=b%20c", headers={"host": "evil.example"}))
    assert response.status_code == 308
    assert response.headers["Location"] == "https://helios.example.org/v1/models/%C3%A9?a=b%20c"


@pytest.mark.usefixtures("_https")
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_probes_are_answered_without_tls(path: str) -> None:
    assert tls(RequestFactory().get(path)).content == b"served"


@pytest.mark.usefixtures("_https")
def test_a_secure_request_is_served() -> None:
    assert tls(RequestFactory().get("/", secure=True)).content == b"served"


def test_an_installation_without_tls_serves_plain_http() -> None:
    assert re.match("http:", real_settings.HELIOS_PUBLIC_BASE_URL)
    assert tls(RequestFactory().get("/")).content == b"served"

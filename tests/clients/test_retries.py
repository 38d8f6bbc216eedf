"""When a call is sent again, how long it waits, and what the program is told in the end. The server is a script."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from helios_client import (
    ApiError,
    AsyncClient,
    BadRequest,
    Client,
    Conflict,
    ConnectionFailed,
    CreatedRun,
    HeliosError,
    Invalid,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    Person,
    RateLimited,
    Retries,
    ServerError,
    TooLarge,
    WaitTimeout,
)
from helios_client.exchange import seconds_of
from tests.clients.conftest import KEY, QUICK
from tests.receiver import Receiver, Reply, answer

PERSON = Person("person-1", "1990-08-24", "FEMALE")
RUN_ID = "4f7c3b1e-6a0e-4c9e-8b53-0a6f1d2c3b4a"
CREATED = answer(200, json.dumps({"id": RUN_ID, "recordingUploadUrl": "http://example.org/uploads/x"}).encode())
RUNNING = answer(
    200,
    json.dumps(
        {
            "id": RUN_ID, "createdAt": "2026-03-15T09:30:00+00:00", "status": "RUNNING", "userLabel": "person-1",
            "deleteData": False, "runAt": "2026-03-15T09:30:01+00:00", "completedAt": None, "errorCode": None,
            "errorReason": None, "warnings": None, "results": None,
        }
    ).encode(),
)  # fmt: skip


def drop(handler: BaseHTTPRequestHandler) -> None:
    """No answer; the connection ends."""


def in_turn(*replies: Reply) -> Reply:
    """Each once, and the last for ever."""
    left = list(replies)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


@pytest.fixture
def quick(scripted: Receiver) -> Client:
    return Client(scripted.url(""), KEY, retries=QUICK)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was slept, without sleeping."""
    slept: list[float] = []
    monkeypatch.setattr("helios_client.client.time.sleep", slept.append)
    return slept


def test_one_idempotency_key_goes_through_all_tries_of_a_call_and_no_further(scripted: Receiver, quick: Client) -> None:
    scripted.reply = in_turn(answer(503), drop, answer(500, b"<html>"), answer(429), CREATED)
    assert quick.create_run(PERSON).id == RUN_ID
    quick.create_run(PERSON)
    quick.create_run(PERSON, idempotency_key="mine")
    *tries, another, mine = [call.headers["idempotency-key"] for call in scripted.calls]
    assert len(tries) == 5
    assert len({*tries, another, mine}) == 3
    assert mine == "mine"
    assert len({call.body for call in scripted.calls}) == 1


def test_the_async_client_tries_again_alike(scripted: Receiver) -> None:
    scripted.reply = in_turn(drop, answer(503), answer(200, b""))

    async def send() -> None:
        async with AsyncClient(scripted.url(""), KEY, retries=QUICK) as client:
            await client.upload(CreatedRun("x", scripted.url("/uploads/x")), b"0" * 300_000)

    asyncio.run(send())
    assert [(call.method, call.path, len(call.body)) for call in scripted.calls] == [("PUT", "/uploads/x", 300_000)] * 3


def test_a_recording_is_sent_again_from_where_its_file_stood(scripted: Receiver, quick: Client) -> None:
    scripted.reply = in_turn(answer(503), answer(200, b""))
    file = io.BytesIO(b"header" + b"sound" * 100_000)
    file.seek(6)
    quick.upload(scripted.url("/uploads/x"), file)
    assert [call.body for call in scripted.calls] == [b"sound" * 100_000] * 2
    assert scripted.calls[0].headers["content-length"] == "500000"
    assert "transfer-encoding" not in scripted.calls[0].headers
    assert not file.closed


def test_a_stream_that_cannot_be_read_twice_and_an_id_are_no_uploads(quick: Client, scripted: Receiver) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(ValueError, match="cannot be sent again"):
        quick.upload(scripted.url(), Pipe(b"sound"))
    with pytest.raises(ValueError, match="the id alone"):
        quick.upload(RUN_ID, b"sound")
    assert scripted.calls == []


def test_retry_after_is_waited_for_and_else_pauses_double_up_to_a_bound(
    scripted: Receiver, pauses: list[float]
) -> None:
    scripted.reply = in_turn(answer(429, b"", **{"Retry-After": "7"}), answer(503))
    client = Client(scripted.url(""), KEY, retries=Retries(tries=6, first_pause=1, longest_pause=5))
    with pytest.raises(ServerError):
        client.get_patient("1")
    assert len(scripted.calls) == 6
    assert 7 <= pauses[0] <= 7.25
    for pause, most in zip(pauses[1:], [2, 4, 5, 5], strict=True):
        assert most / 2 <= pause <= most


def test_a_retry_after_beyond_all_patience_is_told_and_not_waited_for(scripted: Receiver, pauses: list[float]) -> None:
    scripted.reply = answer(429, b'{"error": "Rate limit exceeded"}', **{"Retry-After": "3600"})
    with pytest.raises(RateLimited, match="429: Rate limit exceeded") as caught:
        Client(scripted.url(""), KEY).get_patient("1")
    assert (caught.value.retry_after, pauses, len(scripted.calls)) == (3600, [], 1)


def test_a_retry_after_may_be_a_date() -> None:
    soon = seconds_of(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True))
    assert soon is not None
    assert 55 < soon <= 60
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert seconds_of("later") is None


def test_a_call_whose_first_try_is_under_way_is_asked_for_again(scripted: Receiver, pauses: list[float]) -> None:
    scripted.reply = in_turn(drop, answer(409, b'{"detail": "under way"}', **{"Retry-After": "1"}), CREATED)
    assert Client(scripted.url(""), KEY).create_run(PERSON).id == RUN_ID
    assert 1 <= pauses[1] <= 1.25


def test_a_deletion_whose_reply_was_lost_is_done_when_nothing_is_there_any_more(
    scripted: Receiver, quick: Client
) -> None:
    scripted.reply = in_turn(drop, answer(404))
    quick.delete_run(RUN_ID)
    assert [call.method for call in scripted.calls] == ["DELETE", "DELETE"]
    with pytest.raises(NotFound):
        quick.delete_run(RUN_ID)


def test_lost_connections_end_in_one_clear_exception(scripted: Receiver, quick: Client) -> None:
    scripted.reply = drop
    with pytest.raises(ConnectionFailed, match="Helios could not be reached: Server disconnected") as caught:
        quick.get_run(RUN_ID)
    assert len(scripted.calls) == 5
    assert caught.value.__cause__ is caught.value.__context__ is None  # httpx' exceptions hold the request


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (400, {"error": "Validation error", "details": {"name": ["Required"]}}, BadRequest, "name: Required"),
        (401, {"detail": "Invalid API key"}, NotAuthenticated, "Invalid API key"),
        (403, {"detail": "Insufficient scope"}, NotPermitted, "Insufficient scope"),
        (404, {"error": "Patient not found"}, NotFound, "Patient not found"),
        (409, {"error": "external_id already exists", "data": {"id": "7"}}, Conflict, "external_id already exists"),
        (413, {"detail": "The recording has 9 bytes"}, TooLarge, "The recording has 9 bytes"),
        (422, {"detail": [{"loc": ["body", "language"], "msg": "no", "type": "x"}]}, Invalid, "body.language: no"),
        (301, {}, ApiError, "Moved Permanently"),
    ],
)
def test_every_status_is_an_exception_with_the_servers_own_words(
    scripted: Receiver, quick: Client, status: int, body: dict[str, Any], kind: type[ApiError], text: str
) -> None:
    scripted.reply = answer(status, json.dumps(body).encode(), **{"X-Request-ID": "request-1"})
    with pytest.raises(ApiError) as caught:
        quick.get_patient("1")
    error = caught.value
    assert (type(error), error.status, error.request_id, len(scripted.calls)) == (kind, status, "request-1", 1)
    assert text in str(error)
    assert str(error).startswith(f"{status}: ")
    assert error.existing == body.get("data")


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b""])
def test_a_reply_of_something_else_is_named_as_such(scripted: Receiver, quick: Client, content: bytes) -> None:
    scripted.reply = answer(200, content)
    with pytest.raises(HeliosError, match="is this the address of a Helios installation"):
        quick.get_run(RUN_ID)


def waiting(client: Client, timeout: float) -> str:
    with pytest.raises(WaitTimeout) as caught:
        client.wait(RUN_ID, timeout=timeout)
    return str(caught.value)


def test_a_run_is_looked_at_less_and_less_often_until_the_time_is_over(
    scripted: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    now = time.monotonic()
    clock: Callable[[], float] = lambda: now + sum(slept)  # noqa: E731
    monkeypatch.setattr("helios_client.client.time.sleep", slept.append)
    monkeypatch.setattr("helios_client.operations.time.monotonic", clock)
    scripted.reply = RUNNING
    assert waiting(Client(scripted.url(""), KEY), 60) == f"run {RUN_ID} is still RUNNING after 60 s"
    assert sum(slept) == pytest.approx(60)
    assert len(scripted.calls) == len(slept) + 1
    assert slept[0] == pytest.approx(1, rel=0.1)
    assert slept[-2] == pytest.approx(8, rel=0.1)


def test_no_pause_goes_beyond_the_time_that_is_left(scripted: Receiver, pauses: list[float]) -> None:
    scripted.reply = answer(429, b"", **{"Retry-After": "30"})
    with pytest.raises(RateLimited):
        Client(scripted.url(""), KEY).wait(RUN_ID, timeout=10)
    assert pauses == []

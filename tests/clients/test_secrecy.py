"""The key is sent where it must be, and seen nowhere else; nor is what a repr would tell of a person."""

from __future__ import annotations

import json
import logging
import traceback

import httpx
import pytest

from helios_client import ApiError, AsyncClient, Client, CreatedRun, HeliosError, Person
from helios_client.runs import read_run
from tests.clients.conftest import KEY, QUICK
from tests.clients.test_retries import drop, in_turn
from tests.receiver import Receiver, answer


def test_the_key_is_in_no_repr_log_or_exception(scripted: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = Client(scripted.url(""), KEY, retries=QUICK)
    scripted.reply = in_turn(drop, answer(401, b'{"detail": "Invalid API key"}'), drop)
    seen = [repr(client), str(client), repr(AsyncClient(scripted.url(""), KEY)), repr(vars(client))]
    for _ in range(2):
        with pytest.raises(HeliosError) as caught:
            client.get_run("x")
        seen += [repr(caught.value), repr(vars(caught.value))]
        frames = [frame for frame, _ in traceback.walk_tb(caught.tb) if "helios_client" in frame.f_code.co_filename]
        seen += [repr(frame.f_locals) for frame in frames]  # as collectors of errors read them
    assert {call.headers["x-api-key"] for call in scripted.calls} == {KEY}
    assert len(seen) > 10
    assert KEY not in "\n".join(seen)
    assert caplog.text
    assert KEY not in caplog.text


def test_an_upload_does_not_carry_the_key(scripted: Receiver) -> None:
    scripted.reply = answer(200)
    Client("http://helios.example.org", KEY).upload(CreatedRun("x", scripted.url("/uploads/x?signature=s")), b"sound")
    [call] = scripted.calls
    assert KEY not in json.dumps(call.headers)
    assert call.path == "/uploads/x?signature=s"


def test_no_redirect_is_followed_with_the_key(scripted: Receiver) -> None:
    scripted.reply = answer(307, b"", Location=scripted.url("/elsewhere"))
    with (
        httpx.Client(follow_redirects=True) as http,
        pytest.raises(ApiError, match="307: Temporary Redirect"),
    ):
        Client(scripted.url(""), KEY, http=http).get_run("x")
    assert [call.path for call in scripted.calls] == ["/v1/models/mental-wellness/x"]


@pytest.mark.parametrize("key", ["", " ", "hlsk_ a", "hlsk_\nx: y", "hlsk_é"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="must be an API key") as caught:
        Client("http://helios.example.org", key)
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize("url", ["", "helios.example.org", "ftp://helios.example.org", "http://", "http://x:port"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the address of Helios"):
        Client(url, KEY)


def test_address_and_key_come_from_the_environment(scripted: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted.reply = answer(200)
    monkeypatch.setenv("HELIOS_URL", scripted.url("/"))
    monkeypatch.setenv("HELIOS_KEY", f"{KEY}\n")
    with Client() as client:
        client.delete_patient("a/b")
    [call] = scripted.calls
    assert (call.path, call.headers["x-api-key"]) == ("/ext-api/v1/patients/a%2Fb", KEY)


def test_a_repr_tells_nothing_of_the_person() -> None:
    body = {
        "id": "run-1", "createdAt": "2026-03-15T09:30:00+00:00", "status": "COMPLETE_ERROR", "userLabel": "Maria",
        "deleteData": False, "runAt": None, "completedAt": None, "errorCode": "ERR_INTERNAL", "errorReason": "why",
        "warnings": None, "results": None,
    }  # fmt: skip
    shown = repr([read_run(body), Person("Maria", "1990-08-24", "FEMALE"), CreatedRun("run-1", "http://x/?signature")])
    assert "ERR_INTERNAL" in shown
    assert not any(word in shown for word in ("Maria", "1990", "signature"))

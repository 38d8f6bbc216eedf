"""How long a client may take for a large reply."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.http import FileResponse
from django.test import RequestFactory

from helios_site.api.bodies import STALL_SECONDS, TooSlow, file_in_time, sent_in_time


class Connection:
    """A socket, as far as its limit of time goes."""

    def __init__(self) -> None:
        self.limits: list[float | None] = [None]

    def gettimeout(self) -> float | None:
        return self.limits[-1]

    def settimeout(self, seconds: float | None) -> None:
        self.limits.append(seconds)


@pytest.mark.parametrize("taken", ["whole", "begun"])
def test_a_file_is_sent_piece_by_piece_and_each_has_its_limit(taken: str) -> None:
    connection, file = Connection(), io.BytesIO(b"x" * 1_000_000)
    request = RequestFactory().get("/")
    request.META["gunicorn.socket"] = connection
    response: Any = file_in_time(request, FileResponse(file))
    assert response.file_to_stream is None, "or the server sends it in its own way"
    assert response["Content-Length"] == "1000000"
    pieces = iter(response)
    first = next(pieces)
    assert connection.limits == [None, STALL_SECONDS]
    if taken == "whole":
        assert len(first) + sum(map(len, pieces)) == 1_000_000
    response.close()
    assert file.closed
    assert connection.limits == [None, STALL_SECONDS, None]


def test_a_reply_that_takes_too_long_is_cut_off_and_what_made_it_ends() -> None:
    ended: list[bool] = []

    def lines() -> Any:
        try:
            while True:
                yield b"line"
        finally:
            ended.append(True)

    request = RequestFactory().get("/")
    begun = sent_in_time(request, lines())
    assert [next(begun), next(begun)] == [b"line", b"line"]
    begun.close()  # type: ignore[attr-defined]
    assert ended == [True]
    with pytest.raises(TooSlow):
        next(sent_in_time(request, lines(), within=0))
    assert ended == [True, True]

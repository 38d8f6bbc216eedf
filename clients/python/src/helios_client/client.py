"""The two clients: the steps of `operations`, with and without blocking."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import closing
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from helios_client.exchange import Lost, Pause, Reply, Request, Retries, Steps
from helios_client.operations import Operations, Page
from helios_client.recording import Recording
from helios_client.version import __version__

T = TypeVar("T")
P = ParamSpec("P")

TIMEOUT_SECONDS = 30.0  # to connect, and between two pieces of a reply; a whole upload may take longer


class _KeyHeader(httpx.Auth):
    """Adds the key where a request leaves, so that it is in no variable, repr or message of ours before."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["x-api-key"] = self._key
        yield request


class _Base:
    """Address, key and habits, which both clients have. Given neither `url` nor `key`, the environment is read:
    HELIOS_URL and HELIOS_KEY."""

    def __init__(self, url: str | None, key: str | None, retries: Retries | None) -> None:
        url = os.environ.get("HELIOS_URL", "") if url is None else url
        key = os.environ.get("HELIOS_KEY", "") if key is None else key
        if not _is_address(url):
            raise ValueError("HELIOS_URL, or `url`, must be the address of Helios, such as https://helios.example.org")
        # httpx would show a header that it cannot send.
        if re.fullmatch(r"[!-~]+", key.strip()) is None:
            raise ValueError("HELIOS_KEY, or `key`, must be an API key, such as hlsk_…")
        self._url = url.rstrip("/")
        self._auth = _KeyHeader(key.strip())
        self._operations = Operations(retries or Retries())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({httpx.URL(self._url).host!r})"

    def _arguments(self, request: Request) -> dict[str, Any]:
        """What httpx needs to send a request, but for the bytes of a recording. An upload has its permission in its
        URL, and may go to another host: it never gets the key. Nor does an address that something redirects to."""
        headers = {"User-Agent": f"helios-client/{__version__}", "Accept": "application/json", **request.headers}
        recording = request.recording
        if recording is not None:
            headers |= {"Content-Length": str(recording.size), "Content-Type": "application/octet-stream"}
            return {
                "method": request.method,
                "url": request.path,
                "headers": headers,
                "auth": None,
                "follow_redirects": False,
            }
        return {
            "method": request.method,
            "url": self._url + request.path,
            "params": list(request.query) or None,
            "json": request.body,
            "headers": headers,
            "auth": self._auth,
            "follow_redirects": False,
        }


def _is_address(url: str) -> bool:
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parts.scheme in ("http", "https") and bool(parts.host)


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.status_code, response.headers, response.content)


def _lost(error: httpx.RequestError) -> Lost:
    # The exception itself is not kept: it holds the request, and so the key.
    return Lost(str(error) or type(error).__name__)


# -- blocking -------------------------------------------------------------------------------------------


def _now(steps: Callable[Concatenate[Operations, P], Steps[T]]) -> Callable[Concatenate[Client, P], T]:
    @wraps(steps)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._finished(steps(self._operations, *args, **kwargs))

    return method


def _each_now(
    steps: Callable[Concatenate[Operations, P], Steps[Page[T]]],
) -> Callable[Concatenate[Client, P], Iterator[T]]:
    @wraps(steps)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        following: Steps[Page[T]] | None = steps(self._operations, *args, **kwargs)
        while following is not None:
            page = self._finished(following)
            yield from page.items
            following = page.rest

    return method


class Client(_Base):
    """Helios, with calls that return when they are done. Use it in a `with`, or close it; threads may share it.

    `http` is an `httpx.Client` of yours, for a proxy or an authority of your own; it stays yours to close.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: Retries | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(url, key, retries)
        self._http = http or httpx.Client(timeout=timeout)
        self._is_mine = http is None

    def close(self) -> None:
        if self._is_mine:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _finished(self, steps: Steps[T]) -> T:
        outcome: Reply | Lost | None = None
        with closing(steps):
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcome = self._taken(step)

    def _taken(self, step: Request | Pause) -> Reply | Lost | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        content = None if step.recording is None else step.recording.pieces()
        try:
            return _reply(self._http.request(**self._arguments(step), content=content))
        except httpx.RequestError as error:
            return _lost(error)

    create_run = _now(Operations.create_run)
    create_activity = _now(Operations.create_activity)
    upload = _now(Operations.upload)
    get_run = _now(Operations.get_run)
    wait = _now(Operations.wait)
    score = _now(Operations.score)
    list_runs = _each_now(Operations.list_runs)
    delete_run = _now(Operations.delete_run)
    create_patient = _now(Operations.create_patient)
    get_patient = _now(Operations.get_patient)
    find_patient = _now(Operations.find_patient)
    change_patient = _now(Operations.change_patient)
    delete_patient = _now(Operations.delete_patient)
    list_patients = _each_now(Operations.list_patients)
    wellness = _now(Operations.wellness)


# -- with asyncio ---------------------------------------------------------------------------------------


def _later(
    steps: Callable[Concatenate[Operations, P], Steps[T]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    @wraps(steps)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._finished(steps(self._operations, *args, **kwargs))

    return method


def _each_later(
    steps: Callable[Concatenate[Operations, P], Steps[Page[T]]],
) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[T]]:
    @wraps(steps)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        following: Steps[Page[T]] | None = steps(self._operations, *args, **kwargs)
        while following is not None:
            page = await self._finished(following)
            for item in page.items:
                yield item
            following = page.rest

    return method


class AsyncClient(_Base):
    """Helios for asyncio: the calls of Client, awaited, and its lists by `async for`. Use it in an `async with`.

    `http` is an `httpx.AsyncClient` of yours, for a proxy or an authority of your own; it stays yours to close.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: Retries | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(url, key, retries)
        self._http = http or httpx.AsyncClient(timeout=timeout)
        self._is_mine = http is None

    async def close(self) -> None:
        if self._is_mine:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _finished(self, steps: Steps[T]) -> T:
        outcome: Reply | Lost | None = None
        with closing(steps):
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcome = await self._taken(step)

    async def _taken(self, step: Request | Pause) -> Reply | Lost | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        content = None if step.recording is None else _pieces(step.recording)
        try:
            return _reply(await self._http.request(**self._arguments(step), content=content))
        except httpx.RequestError as error:
            return _lost(error)

    create_run = _later(Operations.create_run)
    create_activity = _later(Operations.create_activity)
    upload = _later(Operations.upload)
    get_run = _later(Operations.get_run)
    wait = _later(Operations.wait)
    score = _later(Operations.score)
    list_runs = _each_later(Operations.list_runs)
    delete_run = _later(Operations.delete_run)
    create_patient = _later(Operations.create_patient)
    get_patient = _later(Operations.get_patient)
    find_patient = _later(Operations.find_patient)
    change_patient = _later(Operations.change_patient)
    delete_patient = _later(Operations.delete_patient)
    list_patients = _each_later(Operations.list_patients)
    wellness = _later(Operations.wellness)


async def _pieces(recording: Recording) -> AsyncIterator[bytes]:
    """A recording's pieces; a slow disk does not keep other tasks waiting."""
    pieces = recording.pieces()
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece

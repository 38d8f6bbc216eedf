"""One call to Helios without any input or output: what to send, when to send it again, how to read the reply.

A call is a generator. It yields a Request, and gets a Reply or Lost; or it yields a Pause, and gets None. Whoever
drives it (see `client`) does the sending and the sleeping, blocking or not: everything else is here once.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

from helios_client.errors import ApiError, ConnectionFailed, HeliosError, class_of
from helios_client.recording import Recording

T = TypeVar("T")
Query = Sequence[tuple[str, str]]
NOT_HELIOS = "the reply has not the form that it should: is this the address of a Helios installation?"


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is one of the API; an absolute URL is an upload's, which carries its permission and never gets the key."""

    method: str
    path: str
    query: Query = ()
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    recording: Recording | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]  # without regard to case
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """No whole reply came; nobody knows whether the call was done."""

    why: str


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Steps = Generator[Request | Pause, Reply | Lost | None, T]


@dataclass(frozen=True, slots=True)
class Retries:
    """When a call is sent again: after a lost connection, 429, 5xx, and a 409 that asks for it by `Retry-After`.

    The pause is what `Retry-After` says; without it, one that doubles from `first_pause` up to `longest_pause`
    (seconds), of which a random part is taken off so that many callers do not come back together. A `Retry-After`
    beyond `most_patience` is not waited for: the error is raised, with `retry_after` on it.
    """

    tries: int = 5
    first_pause: float = 0.5
    longest_pause: float = 20.0
    most_patience: float = 120.0

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ValueError("tries must be at least 1")

    def pause_before(self, number: int, retry_after: float | None) -> float:
        """Seconds before the try of this number; the first has number 0."""
        if retry_after is not None:
            return retry_after + random.uniform(0, 0.25)  # noqa: S311 - no secret
        # The exponent is bounded, since so large a float is none.
        doubled = self.first_pause * 2.0 ** min(number - 1, 60)
        return min(doubled, self.longest_pause) * random.uniform(0.5, 1)  # noqa: S311


def sent(request: Request, retries: Retries, *, deadline: float | None = None) -> Steps[Any]:
    """The JSON of the reply, None where its body is empty. Raises ApiError or ConnectionFailed after the last try.

    No pause goes beyond `deadline`, which is a time of `time.monotonic`.
    """
    lost_before = False
    for number in range(1, retries.tries + 1):
        outcome = yield request
        assert outcome is not None
        if isinstance(outcome, Reply):
            if outcome.status < 300:
                return _json(outcome)
            if outcome.status == 404 and request.method == "DELETE" and lost_before:
                return None  # the try whose reply was lost has deleted it
            refused = refusal(outcome)
            failure: HeliosError = refused
            retry_after = refused.retry_after
            if not _is_worth_another_try(refused):
                raise failure
        else:
            failure = ConnectionFailed(f"Helios could not be reached: {outcome.why}")
            retry_after = None
            lost_before = True
        pause = retries.pause_before(number, retry_after)
        too_long = retry_after is not None and retry_after > retries.most_patience
        if number == retries.tries or too_long or (deadline is not None and time.monotonic() + pause > deadline):
            raise failure
        yield Pause(pause)
    raise AssertionError  # the last try has returned or raised


def _is_worth_another_try(failure: ApiError) -> bool:
    # A call with an Idempotency-Key whose first try is still under way gets 409 with Retry-After.
    return failure.status == 429 or failure.status >= 500 or (failure.status == 409 and failure.retry_after is not None)


def _json(reply: Reply) -> Any:
    if not reply.content:
        return None
    try:
        return json.loads(reply.content)
    except ValueError:
        pass
    raise HeliosError(NOT_HELIOS)


def asked(request: Request, retries: Retries, read: Callable[[Any], T], *, deadline: float | None = None) -> Steps[T]:
    """What `read` makes of the reply's JSON. Raises as `sent` does, and HeliosError for a reply of another form."""
    answer = yield from sent(request, retries, deadline=deadline)
    try:
        return read(answer)
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    raise HeliosError(NOT_HELIOS)


def refusal(reply: Reply) -> ApiError:
    """The exception for a reply that is no success, in the server's own words, whichever family it comes from."""
    try:
        body = json.loads(reply.content)
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    detail = body.get("detail", body.get("error"))
    details = detail if isinstance(detail, list) else body.get("details")
    message = detail if isinstance(detail, str) else _phrase(reply.status)
    existing = body.get("data")
    return class_of(reply.status)(
        reply.status,
        "; ".join([message, *_sentences(details)]),
        details=details,
        retry_after=seconds_of(reply.headers.get("retry-after")),
        existing=existing if isinstance(existing, dict) else None,
        request_id=reply.headers.get("x-request-id"),
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def _sentences(details: Any) -> list[str]:
    """`[{"loc", "msg"}]` of runs, and `{"field": ["message"]}` of patients."""
    if isinstance(details, dict):
        return [f"{name}: {', '.join(map(str, messages))}" for name, messages in details.items()]
    if isinstance(details, list):
        return [
            f"{'.'.join(map(str, entry.get('loc', ())))}: {entry.get('msg')}"
            for entry in details
            if isinstance(entry, dict)
        ]
    return []


def seconds_of(retry_after: str | None) -> float | None:
    """A `Retry-After` header in seconds from now: a number, or a date. None if there is none that can be read."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())

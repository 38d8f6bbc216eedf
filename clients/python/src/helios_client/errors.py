"""What can go wrong, as exceptions. None of them holds the key, the body that was sent or a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HeliosError(Exception):
    """Base of all of them."""


class ConnectionFailed(HeliosError):
    """Helios was not reached, or the connection broke, in every try."""


class WaitTimeout(HeliosError):
    """The run had not ended in time. It goes on: wait again."""


class WebhookInvalid(HeliosError):
    """A call to a webhook that Helios did not sign, or one that is too old. Answer it with 400 and do nothing."""


class ApiError(HeliosError):
    """Helios refused a call.

    `status` is that of HTTP, `message` the server's own text and `details` its list of wrong fields, if it sent one.
    `retry_after` is in seconds. `existing` is the record that is in the way, where a 409 names one. `request_id` finds
    the call in the logs of the server.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        details: Any = None,
        retry_after: float | None = None,
        existing: Mapping[str, Any] | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.details = details
        self.retry_after = retry_after
        self.existing = existing
        self.request_id = request_id


class BadRequest(ApiError):
    """400: a body or parameter of the calls about patients is wrong; `details` says which."""


class NotAuthenticated(ApiError):
    """401: the key is missing, wrong, expired or revoked, or may not be used from this address."""


class NotPermitted(ApiError):
    """403: the key lacks a scope, or the time of an upload URL is over."""


class NotFound(ApiError):
    """404: there is no such object, or it belongs to somebody else."""


class Conflict(ApiError):
    """409: the state of the object forbids it, or an `external_id` is taken: see `existing`."""


class TooLarge(ApiError):
    """413: the recording has more bytes than the server takes."""


class Invalid(ApiError):
    """422: a body or parameter of the calls about runs is wrong; `details` says which."""


class RateLimited(ApiError):
    """429: too many calls, also after having waited; `retry_after` says for how long to pause."""


class ServerError(ApiError):
    """5xx: the fault is the server's, also after having tried again."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    401: NotAuthenticated,
    403: NotPermitted,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Invalid,
    429: RateLimited,
}


def class_of(status: int) -> type[ApiError]:
    return ServerError if status >= 500 else _BY_STATUS.get(status, ApiError)

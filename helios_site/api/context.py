"""What is known of the request being served, for logs and the audit trail."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestContext:
    id: str = ""
    address: str | None = None
    method: str = ""
    path: str = ""


_NONE = RequestContext()
_current: ContextVar[RequestContext] = ContextVar("helios_request", default=_NONE)

set_request = _current.set
reset_request = _current.reset


def current_request() -> RequestContext:
    """The request of this thread; an empty one outside a request (tasks, commands)."""
    return _current.get()

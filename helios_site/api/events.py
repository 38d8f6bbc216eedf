"""What happened, told to whoever wants to pass it on.

An app announces an event in the transaction that makes it true; what a listener writes is part of that transaction.
So an app may tell of its events without knowing, or importing, the apps above it that listen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one object of an organisation. `type` is `object.verb`, such as `api_key.revoked`."""

    type: str
    organization_id: UUID
    object_id: UUID
    status: str
    user_label: str | None = None


Listener = Callable[[Event], None]

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have `listener` called with every event from now on; once, however often it is named."""
    if listener not in _listeners:
        _listeners.append(listener)


def announce(event: Event) -> None:
    """Tell the listeners, in the caller's transaction; an error of theirs fails it."""
    for listener in _listeners:
        listener(event)

"""Exports and imports, as tests make them."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from tests.contract.healos.calls import EXT, content_of

EXPORT, IMPORT = f"{EXT}/export", f"{EXT}/import"
NDJSON = "application/x-ndjson"
TWICE = "Must not occur twice in the file"


def exported(client: Client, **query: str) -> list[dict[str, Any]]:
    """The lines of an export. Such tests need transactions of their own."""
    answer = client.get(EXPORT, query)
    assert (answer.status_code, answer["Content-Type"]) == (200, NDJSON)
    return [json.loads(line) for line in content_of(answer).splitlines()]


def post(client: Client, body: bytes, query: str = "", **extra: Any) -> Any:
    return client.generic("POST", f"{IMPORT}{query}", body, content_type=NDJSON, **extra)


def imported(client: Client, *lines: dict[str, Any] | bytes, query: str = "") -> list[dict[str, Any]]:
    """The replies to an import of these lines."""
    body = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    answer = post(client, body, query)
    assert (answer.status_code, answer["Content-Type"]) == (200, NDJSON), answer.content
    return [json.loads(line) for line in content_of(answer).splitlines()]


def patient(**data: Any) -> dict[str, Any]:
    return {"type": "patient", "data": {"name": "Maria Santos", **data}}


def appointment(**data: Any) -> dict[str, Any]:
    return {"type": "appointment", "data": {"start_at": "2026-04-15T14:00:00.000Z", **data}}


def note(**data: Any) -> dict[str, Any]:
    return {"type": "note", "data": {"content": "slept well", **data}}


def statuses(replies: list[dict[str, Any]]) -> list[str]:
    return [reply["status"] for reply in replies]


def begun(answer: Any) -> bytes:
    """The first piece of a stream that its reader then leaves."""
    first = next(answer._iterator)
    answer._iterator.close()
    return bytes(first)

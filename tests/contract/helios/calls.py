"""The documented calls, as a client makes them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

RUNS = "/v1/models/mental-wellness"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def minimal_body(**changes: Any) -> dict[str, Any]:
    """The documented minimum; `changes` replace or add top-level keys."""
    user = {"userLabel": "42baba59", "dateOfBirth": "1990-08-24", "birthSex": "MALE"}
    return {"user": user, "language": "en-GB", **changes}


def body_with_user(**changes: Any) -> dict[str, Any]:
    body = minimal_body()
    body["user"].update(changes)
    return body


def without(body: dict[str, Any], *path: str) -> dict[str, Any]:
    """`body` without the key at `path`."""
    inner = body
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return body


def post(client: Client, body: Any, **extra: Any) -> Any:
    raw = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post(RUNS, raw, content_type=extra.pop("content_type", "application/json"), **extra)


def create(client: Client, body: Any = None) -> dict[str, Any]:
    """A run from `body` or the minimal one; the reply's JSON."""
    response = post(client, body or minimal_body())
    assert response.status_code == 200, response.content
    reply: dict[str, Any] = response.json()
    return reply


def read(client: Client, run_id: str) -> dict[str, Any]:
    response = client.get(f"{RUNS}/{run_id}")
    assert response.status_code == 200, response.content
    reply: dict[str, Any] = response.json()
    return reply


def put(client: Client, url: str, content: bytes, **extra: Any) -> Any:
    """PUT to an upload URL, which is absolute."""
    parts = urlsplit(url)
    extra.setdefault("content_type", "audio/wav")
    extra.setdefault("CONTENT_LENGTH", str(len(content)))  # Django's client leaves out that of an empty body
    return client.put(f"{parts.path}?{parts.query}", content, **extra)


def assert_invalid(response: Any, loc: list[str | int], kind: str) -> None:
    """A 422 with exactly this one entry; nothing else in the body."""
    assert response.status_code == 422, (response.status_code, response.content)
    assert response["Content-Type"] == "application/json"
    detail = response.json()["detail"]
    assert [(entry["loc"], entry["type"]) for entry in detail] == [(loc, kind)]
    assert detail[0].keys() == {"loc", "msg", "type"}
    assert detail[0]["msg"]

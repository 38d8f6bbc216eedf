"""Calls to the key management, and to the API with a key."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

KEYS = "/api/v1/ext-api-keys"
BODY = {"name": "EHR sync", "scopes": ["model_runs:read"]}
INVALID = "Validation error"


def send(client: Client, method: str, path: str, body: Any = None, **extra: Any) -> Any:
    content = b"" if body is None else json.dumps(body)
    return client.generic(method, path, content, content_type="application/json", **extra)


def create(client: Client, **changes: Any) -> Any:
    return send(client, "POST", KEYS, BODY | changes)


def call(raw_key: str) -> int:
    return Client().get("/v1/account", headers={"x-api-key": raw_key}).status_code


def in_hours(hours: float) -> str:
    return (timezone.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


EXT = "/ext-api/v1"
OWN_KEY = f"{EXT}/key"
EVENTS = f"{EXT}/audit-events"
EXPORT = f"{EVENTS}/export"
GETS = (OWN_KEY, EVENTS, EXPORT)


def with_key(raw_key: str) -> Client:
    return Client(headers={"x-api-key": raw_key})


def content_of(answer: Any) -> bytes:
    """The body, also of a stream."""
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)

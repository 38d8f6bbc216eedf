"""Patients over the API, as tests make them."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.contract.healos.calls import EXT, INVALID, send

__all__ = ["INVALID", "PATIENTS", "create"]
PATIENTS = f"{EXT}/patients"


def create(client: Client, **fields: Any) -> dict[str, Any]:
    """The new patient as the reply shows it."""
    answer = send(client, "POST", PATIENTS, {"name": "Maria Santos", **fields})
    assert answer.status_code == 201, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data

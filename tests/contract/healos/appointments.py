"""Appointments over the API, as tests make them."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.contract.healos import patients
from tests.contract.healos.calls import EXT, send

APPOINTMENTS = f"{EXT}/appointments"
START = "2026-04-15T14:00:00.000Z"


def book(client: Client, **fields: Any) -> dict[str, Any]:
    """The new appointment as the reply shows it, of a new patient unless one is named."""
    if "patient_id" not in fields:
        fields["patient_id"] = patients.create(client)["id"]
    answer = send(client, "POST", APPOINTMENTS, {"start_at": START, **fields})
    assert answer.status_code == 201, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data


def details(answer: Any) -> Any:
    """What is said of each field of a refused call."""
    assert (answer.status_code, set(answer.json())) == (400, {"error", "details"})
    assert answer.json()["error"] == patients.INVALID
    return answer.json()["details"]

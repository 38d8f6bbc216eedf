"""The rules of the API that JSON Schema cannot say. What is invalid on purpose stays so."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import schemathesis

from helios_site.api.families.healos.fields import parse_day
from tests.contract.healos.documents import pdf


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """What is no text is no body of lines: like an empty one."""
    return value.encode(errors="replace") if isinstance(value, str) else b""


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    is_positive = case.meta.generation.mode.is_positive  # judged anew after each change
    if re.fullmatch("[!-~]{1,255}", (case.headers or {}).get("Idempotency-Key", "")):
        case.headers["Idempotency-Key"] = str(uuid4())  # one for each call
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = "*"  # what version an object has is in no description
    if isinstance(case.body, dict):
        _name_tags_differently(case.body.get("tags"))
        if case.body.get("url") == "" and is_positive:
            case.body["url"] = "https://hooks.example.org/"  # the generator takes an empty URL for one of the pattern
        if "ext-api-keys" in case.operation.path:
            _fit_for_a_key(case.body)
        if "patientId" in case.body and is_positive:
            del case.body["patientId"]  # no patient has a made-up id
        if "appointments" in case.operation.path:
            _fit_for_an_appointment(case.body.get("repeat_rule"))
        if case.operation.path.endswith("/documents") and is_positive:
            case.body["file"] = pdf()  # no description says what one looks like
            if "patient_id" in case.body:
                case.body["patient_id"] = case.path_parameters["patient_id"]
        if "returnUrl" in case.body and is_positive:
            del case.body["returnUrl"]  # which origins are allowed is in no description
    if case.operation.label == "GET /ext-api/v1/appointments" and is_positive:
        _fit_for_occurrences(case.query)
    if case.operation.path == "/v1/usage" and is_positive:
        _fit_for_usage(case.query)
    return case


def _name_tags_differently(tags: Any) -> None:
    """Tags must differ in one of their keys, the name."""
    if not isinstance(tags, list):
        return
    for number, tag in enumerate(tags):
        name = str(tag["name"]) if isinstance(tag, dict) and isinstance(tag.get("name"), (str, int, float)) else ""
        if 0 < len(name) <= 200:
            tags[number] = {**tag, "name": f"{name} {number}"}


def _fit_for_usage(query: dict[str, Any]) -> None:
    """The last day is not before the first, and less than a quarter after it."""
    if "to" in query:
        last = date.fromisoformat(query["to"])
        query["from"] = str(last - min(timedelta(days=7), last - date.min))
    elif "from" in query:
        query["from"] = str(date.today() - timedelta(days=7))  # noqa: DTZ011 - any recent day


def _fit_for_an_appointment(rule: Any) -> None:
    """No rule ends before it begins."""
    if isinstance(rule, dict) and parse_day(str(rule.get("end_date"))):
        rule["end_date"] = "9999-12-31"


def _fit_for_occurrences(query: dict[str, Any]) -> None:
    """The zone is one, and the days are there and near each other."""
    if "tz" in query:
        query["tz"] = "Europe/London"
    if query.get("expand") == "true":
        query |= {"start_date": "2026-03-01", "end_date": "2026-03-31"}


def _fit_for_a_key(body: dict[str, Any]) -> None:
    """A name is printable, networks are networks, an expiry lies ahead."""
    name, networks, expiry = (body.get(field) for field in ("name", "allowed_cidrs", "expires_at"))
    if isinstance(name, str) and 0 < len(name) <= 100 and "\x00" not in name:
        body["name"] = "".join(letter if letter.isprintable() and not letter.isspace() else "x" for letter in name)
    if isinstance(networks, list) and all(isinstance(network, str) for network in networks):
        body["allowed_cidrs"] = [f"10.{number % 256}.{number // 256}.0/24" for number in range(len(networks))]
    if isinstance(expiry, str) and re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", expiry):
        body["expires_at"] = f"2096{expiry[4:]}"

"""Every resource that we write: valid by the models of `fhir.resources` for R4B, of elements that R4 has as well."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization
from apps.fhir.resources.appointments import appointment_resource
from apps.fhir.resources.conformance import capability_statement
from apps.fhir.resources.observations import observation_resource
from apps.fhir.resources.patients import patient_resource
from apps.fhir.resources.scores import CODES, code_system
from apps.model_runs.wellness.scores import continuous
from apps.patients.models import Appointment, Patient
from helios_site.api.families.fhir.errors import outcome
from tests.contract.fhir.records import (
    AT,
    VALUES,
    make_appointment,
    make_document,
    make_patient,
    make_run,
    make_whole_patient,
)
from tests.fhir import r4

NO_ORGANIZATION: dict[str, Any] = {"organization": Organization(name="Northern Clinic")}


def check(body: Any) -> None:
    """Valid in R4B, nothing in it that R4 lacks, and nothing lost in reading it."""
    name = body["resourceType"]
    model = getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name)
    assert model.model_validate(body).model_dump(mode="json").keys() == body.keys()
    assert list(r4.others(body, name)) == []


def a_patient(**fields: Any) -> Patient:
    return Patient(id=5, created_at=AT, updated_at=AT, **NO_ORGANIZATION, **{"name": "A", **fields})


def an_appointment(**fields: Any) -> Appointment:
    fields = {"status": "SCHEDULED", "start_at": AT, "duration_minutes": 50, "appointment_type": "Other", **fields}
    return Appointment(patient=a_patient(), created_at=AT, updated_at=AT, **NO_ORGANIZATION, **fields)


@pytest.mark.django_db
def test_every_answer_is_valid(api: Client, organization: Organization) -> None:
    patient, bare = make_whole_patient(organization), make_patient(organization)
    rule = {"frequency": "MONTHLY", "interval": 1, "end_date": None}
    whole = make_appointment(patient, external_id="A", notes="n", repeat_rule=rule)
    run = make_run(patient, warnings=["a warning"], recording_time="2026-03-14T23:10:00")
    make_run(patient, scores={}, model_version="")
    paths = [
        "metadata", "CodeSystem/wellness-scores",
        f"Patient/{patient.pk}", f"Patient/{bare.pk}", "Patient/1",
        f"Appointment/{whole.pk}", f"Appointment/{make_appointment(bare).pk}",
        f"DocumentReference/{make_document(patient, external_id='D').pk}",
        f"DocumentReference/{make_document(bare, status='failed', filename=' ').pk}",
        f"Observation?patient={patient.pk}&_count=8", f"Observation?patient={bare.pk}", "Observation",
        f"Observation/{run.pk}.uniformStress",
    ]  # fmt: skip
    answers = [api.get(f"/fhir/{path}") for path in paths]
    assert [answer.status_code for answer in answers] == [200] * 4 + [404] + [200] * 6 + [400, 200]
    for answer in answers:
        check(answer.json())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 429, 500])
def test_errors_are_valid(status: int) -> None:
    check(outcome(status))


def test_what_r4_and_r4b_share_is_in_the_models_of_r4b() -> None:
    missing = {}
    for name, elements in r4.TYPES.items():
        module = next(resource for resource in _modules(name))
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{module}"), name)
        known = {field.alias or attribute for attribute, field in model.model_fields.items()}
        missing[name] = set(elements) - known - {"resourceType"}
    assert {name: found for name, found in missing.items() if found} == {}


def _modules(name: str) -> Iterator[str]:
    """Where `fhir.resources` keeps a type: with the resource whose part it is."""
    for length in range(len(name), 0, -1):
        module = name[:length].lower()
        if importlib.util.find_spec(f"fhir.resources.R4B.{module}"):
            yield module


def test_the_check_finds_what_r4_lacks_and_what_is_empty() -> None:
    body = {"resourceType": "Patient", "name": [{"text": "A", "nick": "B"}], "birthDate": "", "pronouns": "x"}
    assert list(r4.others(body, "Patient")) == ["Patient.name.nick", "Patient.birthDate", "Patient.pronouns"]


@pytest.mark.parametrize(
    ("said", "gender"),
    [
        ("Female", "female"), (" m ", "male"), ("Non-Binary", "other"), ("UNKNOWN", "unknown"),
        ("prefers not to say", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_gender_is_mapped_where_its_meaning_is_plain(said: str | None, gender: str | None) -> None:
    assert patient_resource(a_patient(gender=said)).get("gender") == gender


def test_blank_texts_are_absent() -> None:
    blank = dict.fromkeys(("first_name", "last_name", "email", "phone", "mrn", "external_id", "gender"), " \n")
    body = patient_resource(a_patient(**{**blank, "name": " "}))
    check(body)
    assert set(body) == {"resourceType", "id", "meta", "active"}
    odd = patient_resource(a_patient(name="a\u00a0\u202eb \U0001f600"))
    check(odd)
    assert odd["name"] == [{"text": "a\u00a0\u202eb \U0001f600"}]


def test_dates_of_every_year_are_valid() -> None:
    for year in (1, 999, 9999):
        check(patient_resource(a_patient(date_of_birth=date(year, 1, 1))))
        moment = datetime(year, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
        body = appointment_resource(an_appointment(start_at=moment))
        check(body)
        assert body["start"].startswith(f"{year:04d}-12-31T23:59:59.999")
    last = appointment_resource(an_appointment(duration_minutes=2**31 - 1))
    check(last)
    assert (last["end"][:16], last["minutesDuration"]) == ("6109-04-07T11:37", 2**31 - 1)
    beyond = appointment_resource(an_appointment(start_at=AT.replace(year=9000), duration_minutes=2**31 - 1))
    check(beyond)
    assert beyond["end"].startswith("9999-12-31T23:59")


@pytest.mark.parametrize(
    ("status", "expected"),
    [("SCHEDULED", "booked"), ("COMPLETED", "fulfilled"), ("CANCELLED", "cancelled"), ("NO_SHOW", "noshow")],
)
def test_the_states_of_an_appointment(status: str, expected: str) -> None:
    body = appointment_resource(an_appointment(status=status))
    check(body)
    assert body["status"] == expected


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"frequency": "DAILY", "interval": 1, "end_date": "2026-07-15"}, "every day until 2026-07-15"),
        ({"frequency": "WEEKLY", "interval": 2, "end_date": None}, "every 2 weeks"),
        ({"frequency": "MONTHLY"}, "every month"),
        ({"frequency": "YEARLY", "interval": 3}, "every 3 years"),
    ],
)
def test_a_repetition_is_told(rule: Any, sentence: str) -> None:
    comment = appointment_resource(an_appointment(repeat_rule=rule))["comment"]
    assert comment == f"Repeats {sentence}; this is the first."


def test_the_codes_are_those_of_the_six_scores() -> None:
    body = code_system("wellness-scores")
    assert body is not None
    check(body)
    eleven = {"mentalStrain": 0.5} | dict.fromkeys(CODES[1:], 0.4)
    assert [eleven[code] for code in CODES] == list(continuous(eleven).values())
    assert set(VALUES) == set(CODES)
    check(capability_statement())


def test_small_values_stay_numbers() -> None:
    run = {
        "id": "6f1b0d9e-8b0a-4c53-9d0b-3e0d2e1f0a11", "patient_id": 5, "completed_at": AT + timedelta(microseconds=1),
        "recording_time": None, "warnings": [], "model_version": "", "scores": {"mentalStrain": 0.00001},
    }  # fmt: skip
    body = observation_resource(run, "mentalStrain")
    check(body)
    assert body["valueQuantity"]["value"] == 0.00001

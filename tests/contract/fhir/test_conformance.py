"""`/fhir/metadata` and the code system: what is said of the server is what it does."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.fhir.urls import urlpatterns
from tests.contract.fhir.records import MEDIA_TYPE

pytestmark = pytest.mark.django_db


@pytest.fixture
def statement() -> Any:
    answer = Client().get("/fhir/metadata")
    assert (answer.status_code, answer["Content-Type"]) == (200, MEDIA_TYPE)
    return answer.json()


def test_it_is_of_this_installation(settings: Any) -> None:
    settings.HELIOS_PUBLIC_BASE_URL = "http://helios.example.org"
    body = Client().get("/fhir/metadata").json()
    assert (body["resourceType"], body["fhirVersion"], body["format"]) == ("CapabilityStatement", "4.0.1", ["json"])
    assert body["implementation"]["url"] == "http://helios.example.org/fhir"
    assert body["url"] == "http://helios.example.org/fhir/metadata"


def test_it_names_the_header_of_the_key(statement: Any) -> None:
    [rest] = statement["rest"]
    assert rest["mode"] == "server"
    assert "x-api-key" in rest["security"]["description"]


def test_it_lists_the_routes_that_there_are(statement: Any) -> None:
    said = {
        (resource["type"], interaction["code"])
        for resource in statement["rest"][0]["resource"]
        for interaction in resource["interaction"]
    }
    routes = {str(pattern.pattern).rstrip("/") for pattern in urlpatterns} - {"metadata"}
    assert said == {
        (route.partition("/")[0], "read" if route.endswith("<str:resource_id>") else "search-type") for route in routes
    }


def test_it_names_the_search_parameters(statement: Any) -> None:
    parameters = {
        resource["type"]: {parameter["name"]: parameter["type"] for parameter in resource["searchParam"]}
        for resource in statement["rest"][0]["resource"]
        if "searchParam" in resource
    }
    assert parameters == {"Observation": {"patient": "reference", "_count": "number"}}


def test_the_code_system_is_where_the_codes_say_and_open() -> None:
    answer = Client().get("/fhir/CodeSystem/wellness-scores")
    body = answer.json()
    assert answer.status_code == 200
    assert body["url"] == "http://127.0.0.1:8000/fhir/CodeSystem/wellness-scores"
    assert body["count"] == len(body["concept"]) == 6
    for path in ("other", "wellness-scores.", "%00"):
        assert Client().get(f"/fhir/CodeSystem/{path}").status_code == 404

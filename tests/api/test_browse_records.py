"""The browsable API of patients, appointments and documents: each write has a form that does it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.patients.models import Patient
from tests.contract.healos import patients

EXT = "/ext-api/v1"
JSON = "application/json"
LINES = "application/x-ndjson"


@pytest.fixture
def browser(organization: Organization) -> Client:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    client = Client(headers={"accept": "text/html,*/*;q=0.8"})
    client.force_login(user)
    return client


@pytest.fixture
def patient(api: Client) -> dict[str, Any]:
    return patients.create(api, pronouns="she/her", consent=True, external_id="E")


def raw_form(page: str) -> Any:
    found = re.search(r'<textarea[^>]*name="_content"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return json.loads(html.unescape(found[1]))


def fields(page: str) -> set[str]:
    return set(re.findall(r'<(?:input|select|textarea)[^>]*name="([a-z]\w*)"', page)) - {"csrfmiddlewaretoken"}


def test_the_form_for_changes_holds_what_there_is(browser: Client, patient: dict[str, Any]) -> None:
    path = f"/browse{EXT}/patients/{patient['id']}"
    shown = raw_form(browser.get(path).content.decode())
    assert shown == {name: patient[name] for name in ("name", "pronouns", "notes", "consent", "external_id")}
    answer = browser.patch(path, shown, content_type=JSON, headers={"accept": JSON})
    assert answer.json() == {"data": patient}, "sent as it stands, it changes nothing"
    assert answer["ETag"] == '"1"'
    assert raw_form(browser.patch(path, {"name": ""}, content_type=JSON).content.decode()) == {}


def test_the_form_of_an_appointment_holds_its_defaults(browser: Client, api: Client, patient: dict[str, Any]) -> None:
    path = f"/browse{EXT}/appointments"
    body = raw_form(browser.get(path).content.decode())
    needed = {"patient_id": patient["id"], "start_at": "2026-05-01T00:00:00Z"}
    made = browser.post(path, body | needed, content_type=JSON, headers={"accept": JSON}).json()["data"]
    plain = api.post(f"{EXT}/appointments", needed, content_type=JSON).json()["data"]
    own = ("id", "created_at", "updated_at")
    assert {name: made[name] for name in made if name not in own} == {
        name: plain[name] for name in plain if name not in own
    }
    assert '<option value="Other" selected' in browser.get(path).content.decode()


def test_restoring_takes_no_fields(browser: Client, patient: dict[str, Any]) -> None:
    path = f"/browse{EXT}/patients/{patient['id']}"
    browser.delete(path)
    page = browser.get(f"{path}/restore").content.decode()
    assert (fields(page), raw_form(page)) == (set(), {})
    assert browser.post(f"{path}/restore", {"csrfmiddlewaretoken": "x"}).status_code == 200
    assert browser.get(path).status_code == 200
    for other in ("appointments/x", f"patients/{patient['id']}/documents/x"):
        assert fields(browser.get(f"/browse{EXT}/{other}/restore").content.decode()) == set()


def test_lines_are_imported_and_answered_on_a_page(browser: Client, organization: Organization) -> None:
    path = f"/browse{EXT}/import"
    assert f'<option value="{LINES}"' in browser.get(path).content.decode()
    lines = '{"type": "patient", "data": {"name": "Ana"}}\n{"type": "patient", "data": {}}'
    answer = browser.post(path, lines, content_type=LINES)
    assert answer["Content-Type"].startswith("text/html")
    assert [row.name for row in Patient.objects.filter(organization=organization)] == ["Ana"]
    for word in ("created", "Required"):
        assert word in answer.content.decode()


def test_the_way_to_a_page_names_each_page_once(browser: Client, patient: dict[str, Any]) -> None:
    path = f"/browse{EXT}/patients/{patient['id']}"
    crumbs = re.search(r'<ul class="breadcrumb">(.*?)</ul>', browser.get(path).content.decode(), re.DOTALL)
    assert crumbs is not None
    links = re.findall(r'href="([^"]*)"', crumbs[1])
    assert [link.rstrip("/") for link in links] == [f"/browse{EXT}/patients", path]

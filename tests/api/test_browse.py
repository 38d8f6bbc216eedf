"""The browsable API: pages and forms for signed-in members, with the same code and the same errors behind."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.model_runs.models import ModelRun
from tests.contract.helios.calls import RUNS, create, minimal_body

BROWSE = f"/browse{RUNS}"
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {
    "user.userLabel": "person 1",
    "user.dateOfBirth": "1990-08-24",
    "user.birthSex": "FEMALE",
    "language": "en-GB",
    "accent": "",
    "sleepTime": "",
    "wakeTime": "",
    "recordingTime": "",
    "tags": "",
}


@pytest.fixture
def user(organization: Organization) -> User:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    return user


@pytest.fixture
def browser(user: User) -> Client:
    client = Client(headers=HTML)
    client.force_login(user)
    return client


def assert_no_inline_script(page: str) -> None:
    assert "<script" in page or "<table" in page or "<form" in page
    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", page) == []
    assert re.findall(r"<[^>]+\son[a-z]+\s*=", page) == []
    assert "javascript:" not in page


def test_the_first_page_lists_every_endpoint(browser: Client, organization: Organization) -> None:
    page = browser.get("/browse/").content.decode()
    for path in ("/v1/account", RUNS, f"{RUNS}/{{model_run_id}}"):
        assert path in page
    assert organization.name in page
    assert "apollo" not in page
    assert_no_inline_script(page)


def test_pages_have_a_form_for_every_write_and_no_inline_script(browser: Client, api: Client) -> None:
    response = browser.get(BROWSE)
    page = response.content.decode()
    assert response["Content-Type"].startswith("text/html")
    for field in FORM:
        assert f'name="{field}"' in page, field
    assert 'name="_content"' in page  # the raw form
    assert "csrfmiddlewaretoken" in page
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert_no_inline_script(page)

    page = browser.get(f"{BROWSE}/{create(api)['id']}").content.decode()
    assert 'data-method="DELETE"' in page
    assert_no_inline_script(page)


def test_the_html_form_creates_a_run_as_the_member(browser: Client, user: User, organization: Organization) -> None:
    response = browser.post(BROWSE, FORM)
    assert response.status_code == 200
    assert "recordingUploadUrl" in response.content.decode()
    run = ModelRun.objects.get()
    assert (run.organization_id, run.created_by_key_id) == (organization.id, None)
    assert (run.user_label, run.birth_sex, run.accent, run.tags) == ("person 1", "FEMALE", None, [])
    event = AuditEvent.objects.get(action="model_run.created")
    assert (event.actor_type, event.actor_id) == ("user", str(user.id))


def test_the_form_takes_lists_flags_and_several_choices(browser: Client) -> None:
    tags = [{"name": "site", "value": "north"}]
    form = {**FORM, "tags": json.dumps(tags), "deleteData": "true", "dataToDelete": ["RECORDINGS", "INPUTS"]}
    assert browser.post(BROWSE, form).status_code == 200
    run = ModelRun.objects.get()
    assert (run.tags, run.delete_data, run.data_to_delete) == (tags, True, ["RECORDINGS", "INPUTS"])


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"user.userLabel": ""}, ["body", "user", "userLabel"]),
        ({"user.birthSex": "OTHER"}, ["body", "user", "birthSex"]),
        ({"tags": "site=north"}, ["body", "tags"]),
        ({"sleepTime": "late"}, ["body", "sleepTime"]),
    ],
)
def test_a_wrong_form_gets_the_familys_error(browser: Client, change: dict[str, str], place: list[str]) -> None:
    assert browser.post(BROWSE, FORM | change).status_code == 422
    detail = browser.post(BROWSE, FORM | change, headers={"accept": "application/json"}).json()["detail"]
    assert [entry["loc"] for entry in detail] == [place]
    assert not ModelRun.objects.exists()


def test_the_raw_form_is_json_as_for_a_key(browser: Client) -> None:
    response = browser.post(BROWSE, minimal_body(), content_type="application/json")
    assert response.status_code == 200
    response = browser.post(BROWSE, "{", content_type="application/json", headers={"accept": "application/json"})
    assert (response.status_code, response.json()["detail"][0]["type"]) == (422, "value_error.jsondecode")


def test_the_raw_form_is_filled_with_a_body_that_only_lacks_values(browser: Client) -> None:
    page = browser.get(BROWSE).content.decode()
    text = re.search(r'<textarea[^>]*name="_content"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert text is not None
    body = json.loads(text[1].replace("&quot;", '"'))
    body["user"].update(minimal_body()["user"])
    body["language"] = "en-GB"
    assert browser.post(BROWSE, body, content_type="application/json").status_code == 200


def test_runs_are_read_listed_and_deleted(browser: Client, api: Client) -> None:
    run_id = create(api)["id"]
    assert run_id in browser.get(BROWSE).content.decode()
    assert run_id in browser.get(f"{BROWSE}/{run_id}").content.decode()
    assert run_id in browser.get(f"/browse/v1/models/{run_id}").content.decode()
    assert browser.delete(f"{BROWSE}/{run_id}").status_code == 200
    assert browser.get(f"{BROWSE}/{run_id}").status_code == 404
    assert not ModelRun.objects.exists()


def test_another_organisations_run_is_absent(browser: Client, other_api: Client) -> None:
    run_id = create(other_api)["id"]
    assert browser.get(f"{BROWSE}/{run_id}").status_code == 404
    assert browser.delete(f"{BROWSE}/{run_id}").status_code == 404
    assert ModelRun.objects.filter(id=run_id).exists()


def test_who_is_not_signed_in_is_sent_to_log_in(db: None) -> None:
    for path in ("/browse/", BROWSE, "/browse/v1/account"):
        response = Client(headers=HTML).get(path)
        assert (response.status_code, response["Location"]) == (302, f"/login?next={path}")
    assert Client(headers=HTML).post(BROWSE, FORM).status_code == 401


def test_a_key_opens_nothing_here(make_key: Any) -> None:
    client = Client(headers=HTML | {"x-api-key": make_key()[1]})
    assert client.get(BROWSE).status_code == 302
    assert client.post(BROWSE, FORM).status_code == 401


def test_staff_without_membership_get_a_page_that_says_why(db: None) -> None:
    client = Client(headers=HTML)
    client.force_login(User.objects.create_superuser("staff@example.org"))
    for path in ("/browse/", BROWSE):
        response = client.get(path)
        assert response.status_code == 403
        assert "do not belong to an organisation" in response.content.decode()


def test_the_switch_of_the_pages_chooses_the_organisation(
    browser: Client, user: User, organization: Organization, other_organization: Organization
) -> None:
    Membership.objects.create(organization=other_organization, user=user)
    switch = {"organization_id": str(other_organization.id), "next": "/browse/"}
    for path in ("/browse/", BROWSE):
        page = browser.get(path).content.decode()
        assert 'action="/organization/switch"' in page, path
        assert 'name="next" value="/browse/"' in page, path
    assert browser.post("/organization/switch", switch)["Location"] == "/browse/"
    reply = browser.get("/browse/v1/account", headers={"accept": "application/json"}).json()
    assert reply["id"] == str(other_organization.id)


def test_an_organisation_that_is_switched_off_gives_no_access(browser: Client, organization: Organization) -> None:
    Organization.objects.filter(id=organization.id).update(is_active=False)
    for path in ("/browse/", BROWSE):
        response = browser.get(path)
        assert response.status_code == 403
        assert "Suspended: Northern Clinic." in response.content.decode()


def test_an_accept_header_that_nothing_matches_gets_the_page(browser: Client) -> None:
    response = browser.get(BROWSE, headers={"accept": "image/png"})
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")

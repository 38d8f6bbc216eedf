"""`POST /v1/models/mental-wellness-activity`, and the page behind the link."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent, Organization
from apps.model_runs import services
from apps.model_runs.activity.prompts import PROMPTS
from apps.model_runs.models import ModelRun
from tests.conftest import MakeKey
from tests.contract.helios.calls import assert_invalid, minimal_body, put, read
from tests.contract.helios.conftest import CONTENT, finish, start

pytestmark = pytest.mark.django_db
ACTIVITY = "/v1/models/mental-wellness-activity"
CLINIC = "https://clinic.example.org"


def post(client: Client, **changes: Any) -> Any:
    return client.post(ACTIVITY, json.dumps(minimal_body(**changes)), content_type="application/json")


def new_link(client: Client, **changes: Any) -> tuple[str, str]:
    """The id of a run, and path and query of its link."""
    response = post(client, **changes)
    assert response.status_code == 200, response.content
    reply = response.json()
    assert reply["activityLink"].startswith(f"{django_settings.HELIOS_PUBLIC_BASE_URL}/activity/{reply['id']}?")
    parts = urlsplit(reply["activityLink"])
    return reply["id"], f"{parts.path}?{parts.query}"


def agree(link: str, version: str = "helios-1") -> Any:
    return Client(enforce_csrf_checks=True).post(link.replace("?", "/consent?"), {"version": version})


def ancestors(response: Any) -> str:
    return str(response["Content-Security-Policy"]).rpartition("frame-ancestors ")[2]


def test_73_a_link_opens_in_a_frame_and_its_recording_starts_the_run(api: Client, organization: Organization) -> None:
    organization.activity_origins = [CLINIC]
    organization.save()
    response = post(api)
    assert response.status_code == 200
    assert set(response.json()) == {"id", "activityLink"}
    run_id, link = new_link(api)
    page = Client().get(link)
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert ancestors(page) == CLINIC
    assert "X-Frame-Options" not in page.headers
    assert read(api, run_id)["status"] == "CREATED"

    agreed = agree(link)
    assert agreed.status_code == 200
    upload = agreed.json()["uploadUrl"].replace("../uploads", "/uploads")
    assert put(Client(), upload, CONTENT).status_code == 200
    assert read(api, run_id)["status"] == "RUNNING"
    finish(run_id)
    assert read(api, run_id)["status"] == "COMPLETE_OK"


def test_the_recording_time_is_no_part_of_the_body_and_the_rest_is(api: Client) -> None:
    run_id, _ = new_link(api, recordingTime="2026-01-05T10:00:00", tags=[{"name": "site"}], deleteData=True)
    run = ModelRun.objects.get(id=run_id)
    assert (run.recording_time, run.tags, run.delete_data) == (None, [{"name": "site", "value": ""}], True)
    assert_invalid(post(api, language="xx"), ["body", "language"], "type_error.enum")
    assert api.get(ACTIVITY).status_code == 405


def test_the_key_of_the_link_is_a_setting(api: Client, settings: Any) -> None:
    settings.HELIOS_ACTIVITY_LINK_KEY = "link"
    assert set(post(api).json()) == {"id", "link"}


@pytest.mark.parametrize(
    "url",
    ["http://clinic.example.org/x", "https://other.example.org/", "https://clinic.example.org:8443/", "/back", "",
     "https://clinic.example.org@evil.example/", "https://clinic.example.org\\@evil.example/", "javascript:alert(1)",
     "https://clinic.example.org.evil.example/", "https://clinic.example.org/\nx"],
)  # fmt: skip
def test_a_return_url_elsewhere_is_refused(api: Client, organization: Organization, url: str) -> None:
    organization.activity_origins = [CLINIC]
    organization.save()
    assert_invalid(post(api, returnUrl=url), ["body", "returnUrl"], "value_error")
    assert not ModelRun.objects.exists()


def test_a_return_url_on_an_allowed_origin_is_kept_and_shown(api: Client, settings: Any) -> None:
    url = f"{CLINIC}:443/back?x=1&y=<"
    assert_invalid(post(api, returnUrl=url), ["body", "returnUrl"], "value_error")
    settings.HELIOS_ACTIVITY_FRAME_ANCESTORS = (CLINIC,)
    run_id, link = new_link(api, returnUrl=url)
    page = Client().get(link)
    assert "back?x=1&amp;y=&lt;" in page.content.decode()
    assert ancestors(page) == CLINIC
    assert post(api, returnUrl=None).status_code == 200
    assert ModelRun.objects.get(id=run_id).return_url == url


def test_the_page_is_strict_and_without_the_person(api: Client) -> None:
    _, link = new_link(api)
    page = Client().get(link)
    policy = page["Content-Security-Policy"]
    assert ancestors(page) == "'none'"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page["Permissions-Policy"] == "microphone=(self), camera=(), geolocation=()"
    assert (page["Referrer-Policy"], page["Cache-Control"]) == ("no-referrer", "no-store")
    text = page.content.decode()
    assert "<script>" not in text
    assert "style=" not in text
    assert "42baba59" not in text
    assert "1990-08-24" not in text
    assert not page.cookies


def test_a_link_is_good_for_an_hour_and_for_its_run_alone(api: Client, organization: Organization) -> None:
    organization.activity_origins = [CLINIC]
    organization.save()
    run_id, link = new_link(api)
    other_id, _ = new_link(api)
    with time_machine.travel(timezone.now() + timedelta(minutes=59)):
        assert Client().get(link).status_code == 200
    altered = [link[:-1] + ("0" if link[-1] != "0" else "1"), link.replace(run_id, other_id),
               link.replace("expires=", "expires=9"), link.partition("?")[0]]  # fmt: skip
    for one in altered:
        response = Client().get(one)
        assert (response.status_code, ancestors(response)) == (403, "'none'"), one
        assert "This link does not work" in response.content.decode()
        assert agree(one if "?" in one else one + "?").status_code == 403
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        expired = Client().get(link)
        assert (expired.status_code, ancestors(expired)) == (403, CLINIC)
        assert "This link has expired" in expired.content.decode()
        assert agree(link).json()["code"] == "link_expired"
    assert not ModelRun.objects.exclude(consent_version="").exists()


def test_an_upload_link_opens_no_page_and_the_reverse(api: Client) -> None:
    run_id, link = new_link(api)
    query = link.partition("?")[2]
    assert put(Client(), f"/uploads/{run_id}?{query}", CONTENT).status_code == 403
    upload = agree(link).json()["uploadUrl"].partition("?")[2]
    assert Client().get(f"/activity/{run_id}?{upload}").status_code == 403


def test_a_link_outlives_neither_its_run_nor_its_organisation(api: Client, organization: Organization) -> None:
    run_id, link = new_link(api)
    organization.is_active = False
    organization.save()
    assert Client().get(link).status_code == 404
    organization.is_active = True
    organization.save()
    assert api.delete(f"/v1/models/mental-wellness/{run_id}").status_code == 200
    gone = Client().get(link)
    assert (gone.status_code, ancestors(gone)) == (404, "'none'")
    assert agree(link).status_code == 404


def test_after_the_recording_the_link_says_that_it_has_arrived(api: Client, settings: Any) -> None:
    settings.HELIOS_ACTIVITY_FRAME_ANCESTORS = (CLINIC,)
    _, link = new_link(api, returnUrl=f"{CLINIC}/back")
    upload = agree(link).json()["uploadUrl"].replace("../uploads", "/uploads")
    assert put(Client(), upload, CONTENT).status_code == 200
    assert put(Client(), upload, CONTENT).status_code == 200, "a lost reply: the page sends it again whole"
    assert put(Client(), upload, CONTENT + b"!").status_code == 409
    page = Client().get(link)
    assert page.status_code == 200
    assert "A link is good for one recording." in page.content.decode()
    assert f'href="{CLINIC}/back"' in page.content.decode()
    refused = agree(link)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_recorded")


def test_the_consent_is_kept_with_its_version_and_time(api: Client, organization: Organization) -> None:
    run_id, link = new_link(api)
    assert "Northern Clinic asks you to record your voice" in Client().get(link).content.decode()
    for unknown in ("", "helios-2", "1", "٣", "99999999999999999999"):
        assert agree(link, unknown).status_code == 422, unknown
    organization.consent_texts.create(number=1, text="We <b>listen</b>.")
    assert "We &lt;b&gt;listen&lt;/b&gt;." in Client().get(link).content.decode()
    before = timezone.now()
    assert agree(link, "1").status_code == 200
    run = ModelRun.objects.get(id=run_id)
    assert run.consent_version == "1"
    assert run.consented_at is not None
    assert before <= run.consented_at <= timezone.now()
    assert agree(link, "1").status_code == 200, "after loading the page again"
    assert ModelRun.objects.get(id=run_id).consented_at == run.consented_at
    event = AuditEvent.objects.get(action="model_run.consent_given")
    assert (event.object_id, event.organization_id, event.reason) == (run_id, organization.id, "version 1")


def test_prompts_are_in_the_runs_language_and_in_english_where_there_are_none(api: Client, settings: Any) -> None:
    settings.HELIOS_LANGUAGES = ("en-US", "de-DE", "xx-XX")
    pages = {code: Client().get(new_link(api, language=code)[1]).content.decode() for code in settings.HELIOS_LANGUAGES}
    assert '<html lang="en-US">' in pages["en-US"]
    assert "Please speak" not in pages["en-US"]
    assert 'value="reading"' in pages["en-US"]
    assert '<html lang="en-GB">' in pages["de-DE"]
    assert 'Please speak <span lang="de-DE">Deutsch</span>' in pages["de-DE"]
    assert '<div class="task reading" data-prompt="reading" lang="de-DE" hidden>' in pages["de-DE"]
    assert "Wie war Ihr Tag bisher?" in pages["de-DE"]
    assert "How has your day been" not in pages["de-DE"]
    assert '<span lang="xx-XX">xx-XX</span>' in pages["xx-XX"]
    assert '<div class="task" data-prompt="free" lang="en">' in pages["xx-XX"]
    assert 'value="reading"' not in pages["xx-XX"], "an English text would be read in the wrong language"


@pytest.mark.parametrize("language", PROMPTS)
def test_a_passage_takes_about_half_a_minute_to_read(language: str) -> None:
    words = " ".join(PROMPTS[language]["reading_task"]).split()
    assert 80 <= len(words) <= 120, "at 150 to 200 words a minute"


def test_a_link_to_a_patient_needs_what_every_run_of_one_needs(make_key: MakeKey) -> None:
    client = Client(headers={"x-api-key": make_key(scopes=["model_runs:write"])[1]})
    assert post(client, patientId="1").status_code == 403
    assert post(client).status_code == 200


def test_only_activity_runs_take_longer_uploads_where_the_setting_says_so(api: Client, settings: Any) -> None:
    settings.HELIOS_ACTIVITY_URL_TTL_SECONDS = 7200
    run_id, link = new_link(api)
    other = start(api)
    ends = dict(ModelRun.objects.values_list("id", "upload_expires_at"))
    lasting = {str(key): (end - timezone.now()).total_seconds() for key, end in ends.items()}
    assert 7190 < lasting[run_id] <= 7200
    assert 3590 < lasting[other] <= 3600
    with time_machine.travel(timezone.now() + timedelta(minutes=119)):
        assert agree(link).status_code == 200


def test_where_the_page_led_goes_with_the_inputs_and_the_consent_stays(api: Client, settings: Any) -> None:
    settings.HELIOS_ACTIVITY_FRAME_ANCESTORS = (CLINIC,)
    run_id, link = new_link(api, returnUrl=f"{CLINIC}/person-7", deleteData=True, dataToDelete=["INPUTS"])
    upload = agree(link).json()["uploadUrl"].replace("../uploads", "/uploads")
    assert put(Client(), upload, CONTENT).status_code == 200
    finish(run_id)
    with time_machine.travel(timezone.now() + timedelta(hours=12, seconds=1)):
        assert services.erase_due_data() == 1
    run = ModelRun.objects.get(id=run_id)
    assert (run.return_url, run.consent_version) == ("", "helios-1")

"""What an organisation's admins decide: what new checks begin with, whose pages show the hosted activity, and what
people agree to there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from apps.accounts import consent_texts, organizations
from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, ConsentText, Membership, Organization, User
from apps.accounts.origins import origin_of
from apps.accounts.selectors import zone_of
from tests.pages import page_text

pytestmark = pytest.mark.django_db
PAGE, ORIGINS, CONSENT = "/organization/settings", "/organization/activity-origins", "/organization/consent-text"
VERSIONS = "/organization/consent-texts"
DEFAULTS = "/organization/defaults"
CLINIC = "https://clinic.example.org"


@pytest.fixture
def ada(organization: Organization) -> Client:
    """A browser in which an admin of `organization` is signed in."""
    user = User.objects.create_user("ada@example.org")
    Membership.objects.create(organization=organization, user=user, role="admin")
    client = Client()
    client.force_login(user)
    return client


def recorded() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("action", "reason"))


def test_an_admin_saves_origins_in_the_form_that_browsers_send(ada: Client, organization: Organization) -> None:
    typed = (
        "https://Clinic.Example.org:443/\r\nhttps://clinic.example.org\nhttp://localhost:3000 https://a.example:8443"
    )
    assert ada.post(ORIGINS, {"origins": typed}).status_code == 302
    organization.refresh_from_db()
    assert organization.activity_origins == [CLINIC, "http://localhost:3000", "https://a.example:8443"]
    assert f"{CLINIC}\nhttp://localhost:3000\nhttps://a.example:8443</textarea>" in ada.get(PAGE).content.decode()
    assert ada.post(ORIGINS, {"origins": typed}).status_code == 302
    assert ada.post(ORIGINS, {"origins": " "}).status_code == 302
    organization.refresh_from_db()
    assert organization.activity_origins == []
    changes = [reason for action, reason in recorded() if action == "organization.activity_origins_changed"]
    assert changes == [f"{CLINIC} http://localhost:3000 https://a.example:8443", "none"], "the same again is no change"


@pytest.mark.parametrize(
    "typed",
    ["*", "https://*.example.org", "clinic.example.org", "http://clinic.example.org", "https://a.example;script-src",
     "https://a.example'", "https://a.example,b", "data:text/html", "https://user@a.example", "https://a.example:0x",
     "https://-a", "https://bücher.example", "https://" + "a" * 200 + ".example", "https://[::1]", "null"],
)  # fmt: skip
def test_what_is_no_origin_is_refused_and_shown_again(ada: Client, organization: Organization, typed: str) -> None:
    response = ada.post(ORIGINS, {"origins": f"{CLINIC} {typed}"})
    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()
    assert f">{CLINIC} " in response.content.decode(), "what was typed is not lost"
    organization.refresh_from_db()
    assert organization.activity_origins == []


def test_the_page_says_when_data_is_erased(ada: Client, settings: Any) -> None:
    settings.HELIOS_DELETE_DATA_AFTER_HOURS = 36
    assert "Erase everything 36 hours after the result" in ada.get(PAGE).content.decode()


def test_there_are_at_most_twenty_origins(organization: Organization) -> None:
    many = [f"https://a{number}.example" for number in range(21)]
    with pytest.raises(ValidationError, match="There may be 20 origins"):
        organizations.change_activity_origins(actor=SYSTEM, organization_id=organization.pk, origins=many)
    organizations.change_activity_origins(actor=SYSTEM, organization_id=organization.pk, origins=many[:20])


@pytest.mark.parametrize(
    ("url", "origin"),
    [(f"{CLINIC}/a?b#c", CLINIC), (f"{CLINIC}:443", CLINIC), (f"{CLINIC}:444/", f"{CLINIC}:444"),
     ("http://localhost:80", "http://localhost"), ("ftp://a.example", None), ("https://", None),
     ("https://a.example:99999", None), ("https://a.example@b.example", None), ("https://a\\@b", None)],
)  # fmt: skip
def test_the_origin_of_an_address(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


def test_a_consent_text_gets_a_version_and_the_older_ones_stay(ada: Client, organization: Organization) -> None:
    page = ada.get(PAGE).content.decode()
    assert "Version helios-1 is shown now" in page
    assert "Northern Clinic asks you to record your voice" in page
    default = consent_texts.present(organization).text
    assert ada.post(CONSENT, {"text": default.replace("\n", "\r\n")}).status_code == 302
    assert not ConsentText.objects.exists(), "the same text is no new version"

    assert ada.post(CONSENT, {"text": " We listen.  \r\n\r\nYou may stop.\n"}).status_code == 302
    assert ada.post(CONSENT, {"text": "We listen.\n\nYou may stop."}).status_code == 302
    assert ada.post(CONSENT, {"text": "We listen closely."}).status_code == 302
    kept = list(ConsentText.objects.order_by("number").values_list("number", "text"))
    assert kept == [(1, "We listen.\n\nYou may stop."), (2, "We listen closely.")]
    assert consent_texts.present(organization) == consent_texts.Consent("2", "We listen closely.")
    changes = [reason for action, reason in recorded() if action == "organization.consent_text_changed"]
    assert changes == ["version 1", "version 2"]

    page = ada.get(PAGE).content.decode()
    assert "Version 2 is shown now" in page
    assert re.findall(r">(Version \d+)</a>, from", page) == ["Version 1"], "what was agreed to can be read again"
    assert '<p class="written">We listen.\n\nYou may stop.</p>' in ada.get(f"{VERSIONS}/1").content.decode()


def test_the_page_of_settings_stays_small_however_many_texts_there_were(
    ada: Client, organization: Organization
) -> None:
    ConsentText.objects.bulk_create(
        ConsentText(organization=organization, number=number, text=f"text {number} " + "x" * 9_000)
        for number in range(1, 31)
    )
    page = ada.get(PAGE).content.decode()
    assert len(page) < 40_000
    assert re.findall(r">Version (\d+)</a>, from", page) == [str(number) for number in range(29, 19, -1)]
    [older] = re.findall(r'href="([^"]+)">Version \d+ and older', page)
    seen = []
    while older:
        shown = ada.get(older).content.decode()
        seen += re.findall(r"text (\d+) x", shown)
        before = re.search(r'href="([^"]+)">Version \d+</a>', shown.partition('aria-label="Versions"')[2])
        older = before[1] if before and int(before[1].rpartition("/")[2]) < int(seen[-1]) else ""
    assert seen == [str(number) for number in range(19, 0, -1)]
    assert f'href="{VERSIONS}/2" rel="next">Version 2' in shown


def test_a_version_that_is_not_theirs_is_as_absent_as_one_that_never_was(
    ada: Client, organization: Organization, other_organization: Organization
) -> None:
    ConsentText.objects.create(organization=other_organization, number=7, text="theirs")
    answers = [ada.get(f"{VERSIONS}/{number}") for number in (7, 8, 10**30)]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({re.sub(r"/consent-texts/\d+", "", page_text(answer)) for answer in answers}) == 1


@pytest.mark.parametrize("text", ["", " \n ", "a\x00b", "a" * 10_001])
def test_an_unusable_consent_text_is_refused(ada: Client, text: str) -> None:
    assert ada.post(CONSENT, {"text": text}).status_code == 400
    assert not ConsentText.objects.exists()


def test_a_member_sees_and_changes_none_of_it(organization: Organization) -> None:
    user = User.objects.create_user("ben@example.org")
    Membership.objects.create(organization=organization, user=user)
    ben = Client()
    ben.force_login(user)
    assert ben.get(PAGE).status_code == 403
    assert PAGE not in ben.get("/organization").content.decode()
    assert ben.get(f"{VERSIONS}/1").status_code == 403
    assert ben.post(ORIGINS, {"origins": CLINIC}).status_code == 403
    assert ben.post(DEFAULTS, {"check_language": "en-US"}).status_code == 403
    assert ben.post(CONSENT, {"text": "x"}).status_code == 403
    organization.refresh_from_db()
    assert (organization.activity_origins, ConsentText.objects.count()) == ([], 0)


def test_staff_change_the_origins_of_an_organisation(admin: Client, organization: Organization) -> None:
    page = reverse("admin:accounts_organization_change", args=[organization.pk])
    form = {"name": organization.name, "plan": "free", "activity_origins": f"{CLINIC},https://b.example"}
    assert admin.post(page, form).status_code == 302
    organization.refresh_from_db()
    assert organization.activity_origins == [CLINIC, "https://b.example"]
    refused = admin.post(page, {**form, "activity_origins": "http://b.example"})
    assert "An origin is https://" in refused.content.decode()


def test_an_admin_chooses_what_new_checks_begin_with(ada: Client, organization: Organization) -> None:
    page = ada.get(PAGE).content.decode()
    assert '<option value="">As this installation is set (en-GB)</option>' in page
    assert 'value="en-GB" selected' not in page
    form = {"check_language": "en-US", "check_delete_data": "on", "notes_from_runs": "yes"}
    for _ in range(2):
        assert ada.post(DEFAULTS, form).status_code == 302
    organization.refresh_from_db()
    assert (organization.check_language, organization.check_delete_data, organization.notes_from_runs) == (
        "en-US",
        True,
        True,
    )
    page = ada.get(PAGE).content.decode()
    assert 'value="en-US" selected' in page
    assert 'name="check_delete_data" autocomplete="off" checked' in page
    assert 'value="yes" selected' in page
    assert ada.post(DEFAULTS, {"check_language": "en-US", "notes_from_runs": ""}).status_code == 302
    organization.refresh_from_db()
    assert (organization.check_delete_data, organization.notes_from_runs) == (False, None)
    assert [reason for action, reason in recorded() if action == "organization.defaults_changed"] == [
        "check_language: en-US, check_delete_data: True, notes_from_runs: True",
        "check_delete_data: False, notes_from_runs: None",
    ]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"check_language": "tlh-KL", "notes_from_runs": "yes"}, "Choose one of these languages: en-GB, en-US."),
        ({"check_language": "en-US", "notes_from_runs": "yes", "time_zone": "Mars/Base"}, "one of the time zones"),
        ({"check_language": "en-US", "notes_from_runs": "perhaps"}, "Choose whether finished checks leave notes."),
    ],
)
def test_a_default_that_does_not_exist_is_refused(
    ada: Client, organization: Organization, form: dict[str, str], said: str
) -> None:
    response = ada.post(DEFAULTS, form)
    assert (response.status_code, said in response.content.decode()) == (400, True)
    organization.refresh_from_db()
    assert (organization.check_language, organization.notes_from_runs, organization.time_zone) == ("", None, "")


def test_who_saves_another_default_does_not_pin_the_language(ada: Client, organization: Organization) -> None:
    page = ada.get(PAGE).content.decode()
    options = re.findall(r'<option value="([^"]*)"( selected)?>', page.partition('name="check_language"')[2])
    sent = next((value for value, selected in options if selected), options[0][0])  # as a browser does
    assert (
        ada.post(DEFAULTS, {"check_language": sent, "check_delete_data": "on", "notes_from_runs": ""}).status_code
        == 302
    )
    organization.refresh_from_db()
    assert (organization.check_language, organization.check_delete_data) == ("", True)


def test_an_admin_chooses_the_clocks_of_the_organisation(ada: Client, organization: Organization) -> None:
    assert "As this installation is set (UTC)" in ada.get(PAGE).content.decode()
    form = {"check_language": "", "notes_from_runs": ""}
    assert ada.post(DEFAULTS, {**form, "time_zone": "America/New_York"}).status_code == 302
    organization.refresh_from_db()
    assert zone_of(organization).key == "America/New_York"
    assert recorded()[-1] == ("organization.defaults_changed", "time_zone: America/New_York")
    assert "<option selected>America/New_York</option>" in ada.get(PAGE).content.decode()
    assert ada.post(DEFAULTS, {**form, "time_zone": ""}).status_code == 302
    organization.refresh_from_db()
    assert zone_of(organization).key == "UTC"

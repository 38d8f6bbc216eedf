"""A member makes a check: by a link that is copied, scanned and opened, and by a recording that is uploaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from apps.accounts.models import Membership, Organization
from tests import audio
from tests.accounts.signing import PASSWORD, make_person
from tests.browser.examiner import Examiner
from tests.browser.test_accessibility import sign_in
from tests.browser.test_activity import PHONE, press
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, Server
from tests.patients.people import make_patient

pytestmark = [pytest.mark.browser, RECORDINGS]
SCORED = 120_000  # milliseconds that a busy machine may take


def describe(member: Visitor) -> None:
    """The person of a new check."""
    page = member.page
    member.goto("/checks/new")
    page.get_by_label("Label").fill("person-1")
    page.get_by_label("Date of birth").fill("1990-08-24")
    page.get_by_label("Birth sex").select_option("FEMALE")


def test_a_member_sends_a_link_and_uploads_a_recording(
    server: Server, worker: Path, organization: Organization, tmp_path: Path
) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="member")
    patient = make_patient(organization, name="Ada Lovelace")
    found: list[str] = []

    def errand(member: Visitor) -> None:
        page, examiner = member.page, Examiner(member.page)
        sign_in(member, person.email, PASSWORD)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        examiner.open("/checks/new?find=ada")
        examiner.open(f"/checks/new?patient={patient.pk}")
        describe(member)
        press(member, page, "Make the link")
        expect(page.get_by_role("img", name="The link as a QR code")).to_be_visible()
        link = page.get_by_label("Link", exact=True).input_value()
        press(member, page, "Copy")
        expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == link
        mail = str(page.get_by_role("link", name="Write a mail").get_attribute("href"))
        assert "UTC)" in mail, "by the clock of this browser"
        member.goto(server.here(link))
        expect(page.get_by_role("heading", name="Before you begin")).to_be_visible()

        describe(member)
        page.get_by_label("Upload a recording.").check()
        expect(page.get_by_role("button", name="Make the link")).to_be_hidden()
        recording = page.get_by_label("File of the recording")
        recording.set_input_files(FilePayload(name="empty.wav", mimeType="audio/wav", buffer=b""))
        press(member, page, "Upload and score")
        expect(page.get_by_role("alert")).to_contain_text("The file is empty.")
        expect(page.get_by_role("alert")).to_be_focused()
        assert page.get_by_label("Label").input_value() == "person-1"
        examiner.look("/checks/new with errors")
        found.extend(examiner.found)
        recording.set_input_files(audio.asset_path("two_cities.wav"))
        press(member, page, "Upload and score")
        expect(page.get_by_role("heading", name="Voice wellness check")).to_be_visible(timeout=SCORED)
        member.keep("result")

    refused = f"{server.url}/checks/new"  # Chromium notes every 400
    complaints = visit(server, tmp_path, errand, size=PHONE).complaints
    assert found == [], "\n".join(found)
    assert [said for said in complaints if refused not in said] == []


def test_the_page_of_a_link_is_loaded_again_once_when_it_ends_whatever_the_clock_says(
    server: Server, organization: Organization, tmp_path: Path
) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="member")
    loads: list[object] = []

    def errand(member: Visitor) -> None:
        page = member.page
        sign_in(member, person.email, PASSWORD)
        describe(member)
        page.get_by_label("The link is good for").select_option("1 hour")
        press(member, page, "Make the link")
        page.clock.install(time=datetime.now(UTC) + timedelta(hours=2))
        page.reload()
        page.on("load", lambda loaded: loads.append(loaded))

        def wait(minutes: int) -> None:
            page.clock.fast_forward(f"{minutes}:00")
            page.evaluate("fetch('/readyz').then((answer) => answer.status)")  # fails if the page is being left

        wait(50)
        with page.expect_event("load"):
            page.clock.fast_forward("11:00")
        wait(50)  # the server's clock stood still, so that the link is as good as before

    visit(server, tmp_path, errand)
    assert len(loads) == 1

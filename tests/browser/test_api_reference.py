"""The API reference as a developer uses it: a key that is forgotten, calls that are made, samples to copy."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.accounts.models import Membership, Organization
from apps.api_keys.models import ApiKey
from apps.patients.models import Appointment, Document, Patient
from tests.accounts.signing import PASSWORD, make_person
from tests.browser.examiner import Examiner
from tests.browser.test_accessibility import sign_in
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, MakeKey, Server
from tests.contract.healos.documents import pdf
from tests.contract.healos.notes import make_patient

pytestmark = [pytest.mark.browser, RECORDINGS]
MOST_BYTES = 600_000
# The answer to the call without a key, and what Swagger UI says of each address with an operation that has a `_`.
EXPECTED = ("status of 401", "deep link whitespace")
STORED = """
async () => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, location.href,
  await indexedDB.databases(), await caches.keys(), document.documentElement.outerHTML])
"""


def operation(page: Page, name: str) -> Locator:
    """The block of an operation, opened."""
    block = page.locator(f"[id^=operations-][id$=-{name}]")
    block.locator(".opblock-summary-control").click()
    block.locator(".samples").wait_for()
    return block


def tried(block: Locator) -> str:
    """The status of a call with what the page has filled in."""
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    return status_of(block)


def status_of(block: Locator) -> str:
    return block.locator(".live-responses-table .response-col_status").last.inner_text().split()[0]


def test_a_key_calls_the_api_from_the_page_and_is_forgotten(
    server: Server, make_key: MakeKey, organization: Organization, tmp_path: Path
) -> None:
    _, raw_key = make_key()
    patient = make_patient(organization)
    sizes: list[int] = []

    def read(developer: Visitor) -> None:
        page = developer.page
        page.on("response", lambda answer: sizes.append(answer.request.sizes()["responseBodySize"]))
        developer.goto("/api-reference")
        page.locator(".opblock").first.wait_for()
        page.wait_for_load_state("networkidle")
        assert sum(sizes) < MOST_BYTES
        assert page.locator(".samples").count() == 0  # of an operation that nobody has opened

        page.get_by_role("button", name="Authorize").click()
        field = page.get_by_label("Value:")
        assert page.get_by_role("dialog").or_(page.locator(".modal-ux")).locator("input").count() == 1
        assert field.get_attribute("autocomplete") == "off"
        field.fill(raw_key)
        page.get_by_role("button", name="Apply credentials").click()
        page.get_by_role("button", name="Close").first.click()

        block = operation(page, "account")
        assert tried(block) == "200"
        assert str(organization.id) in block.inner_text()
        assert tried(operation(page, "patients_create")) == "201"
        assert tried(operation(page, "records_import")) == "200"
        upload = operation(page, "documents_upload")
        upload.get_by_role("button", name="Try it out").click()
        upload.get_by_placeholder("patient_id").first.fill(str(patient.pk))
        upload.locator("input[type=file]").set_input_files(
            {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": pdf()}
        )
        upload.get_by_role("button", name="Execute").click()
        assert status_of(upload) == "201"
        developer.keep("called")
        assert raw_key not in page.evaluate(STORED)

        page.reload()
        page.locator(".opblock").first.wait_for()
        assert tried(operation(page, "own_key")) == "401"
        assert raw_key not in page.evaluate(STORED)
        assert page.context.cookies() == []

    developer = visit(server, tmp_path, read)
    assert [said for said in developer.complaints if not any(one in said for one in EXPECTED)] == []
    assert Patient.objects.filter(external_id="EHR-1", consent=True).count() == 1
    assert Appointment.objects.get().external_id == "EHR-A1"  # of the import
    assert Document.objects.get().patient == patient


def test_samples_are_chosen_by_keyboard_and_copied(server: Server, tmp_path: Path) -> None:
    def read(developer: Visitor) -> None:
        page = developer.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        developer.goto("/api-reference")
        samples = operation(page, "account").locator(".samples")
        tabs = samples.get_by_role("tab")
        assert tabs.all_inner_texts() == ["curl", "Python", "JavaScript"]
        tabs.first.focus()
        developer.press("ArrowRight")
        expect(samples.get_by_role("tab", name="Python")).to_be_focused()
        expect(samples.get_by_role("tab", selected=True)).to_have_text("Python")
        expect(samples.get_by_role("tabpanel")).to_contain_text("import httpx")
        samples.get_by_role("button", name="Copy Python").click()
        expect(samples.get_by_role("status")).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == samples.get_by_role("tabpanel").text_content()
        # The language stays for the operations that are opened next.
        others = operation(page, "webhook_list").locator(".samples")
        expect(others.get_by_role("tab", selected=True)).to_have_text("Python")

    assert visit(server, tmp_path, read).complaints == []


def test_an_admin_issues_a_key_with_the_session_of_the_browser(
    server: Server, organization: Organization, tmp_path: Path
) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="admin")

    def read(admin: Visitor) -> None:
        sign_in(admin, person.email, PASSWORD)
        admin.goto("/api-reference")
        assert tried(operation(admin.page, "api_keys_create")) == "201"

    assert visit(server, tmp_path, read).complaints == []
    assert ApiKey.objects.get().name == "Nightly report"


def test_the_reference_fits_a_phone_and_passes_axe(server: Server, tmp_path: Path) -> None:
    found: list[str] = []

    def read(developer: Visitor) -> None:
        page, examiner = developer.page, Examiner(developer.page)
        page.emulate_media(reduced_motion="reduce")  # axe would measure the colours on their way
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto("/api-reference")
        operation(page, "patients_update").get_by_role("button", name="Try it out").click()
        operation(page, "patients_delete")
        examiner.look("/api-reference with open operations")
        found.extend(examiner.found)

    visit(server, tmp_path, read)
    assert found == [], "\n".join(found)

"""An admin makes a key on a phone, copies it, and revokes it; no page of that keeps people out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from apps.accounts.models import Membership, Organization
from apps.api_keys import tokens
from apps.api_keys.models import ApiKey
from tests.accounts.signing import PASSWORD, make_person
from tests.browser.examiner import Examiner
from tests.browser.test_accessibility import sign_in
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, Server

pytestmark = [pytest.mark.browser, RECORDINGS]
PHONE = ViewportSize(width=390, height=844)
IN_AN_HOUR = "new Date(Date.now() + 3600e3 - new Date().getTimezoneOffset() * 60e3).toISOString().slice(0, 16)"


def test_an_admin_makes_a_key_copies_it_and_revokes_it(
    server: Server, organization: Organization, tmp_path: Path
) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="admin")
    raw_keys: list[str] = []
    found: list[str] = []
    complaints: list[str] = []

    def status(raw_key: str) -> int:
        with server.connect() as http:
            http.request("GET", "/v1/account", headers={"x-api-key": raw_key})
            return http.getresponse().status

    def act(admin: Visitor) -> None:
        page = admin.page
        examiner = Examiner(page)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        sign_in(admin, person.email, PASSWORD)
        admin.goto("/keys")
        admin.click(page.get_by_role("link", name="Make the first key"))
        assert not page.get_by_role("checkbox").first.is_visible()
        admin.click(page.get_by_label("Name"))
        admin.type("EHR sync")
        admin.click(page.get_by_label("One by one: what you tick here"))
        admin.click(page.get_by_label("Read model runs and their results"))
        page.get_by_label("Works until").fill(page.evaluate(IN_AN_HOUR))
        examiner.look("the form of a new key")
        page.get_by_role("button", name="Make the key").dblclick()  # which makes one
        raw_keys.extend(tokens.find_keys(page.locator("#raw-key").inner_text()))
        admin.click(page.get_by_role("button", name="Copy the key"))
        page.get_by_role("status").get_by_text("Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == raw_keys[0]
        examiner.look("the page of a new key")
        assert status(raw_keys[0]) == 200
        path = page.get_by_role("link", name="I have stored it").get_attribute("href")
        for width in (390, 1440):
            for shown in (f"{path}", f"{path}/rotate", f"{path}/revoke", "/keys"):
                examiner.open(shown, width=width)
        page.set_viewport_size(PHONE)
        admin.click(page.get_by_role("link", name="Revoke EHR sync"))
        admin.click(page.get_by_label("Why"))
        admin.type("Tried out.")
        admin.click(page.get_by_role("button", name="Revoke this key"))
        assert page.get_by_role("heading", name="EHR sync").is_visible()
        assert "Tried out." in page.get_by_role("main").inner_text()
        examiner.look("the page of a revoked key")
        complaints.extend(admin.complaints)
        admin.goto("/keys/new")
        page.get_by_label("Name").fill("Nothing")
        page.get_by_label("One by one: what you tick here").check()
        page.get_by_role("button", name="Make the key").click()
        assert page.title().startswith("Error: ")
        examiner.look("the form of a new key, with errors")
        found.extend(examiner.found)

    visit(server, tmp_path, act, size=PHONE)
    assert found == [], "\n".join(found)
    assert complaints == []
    assert status(raw_keys[0]) == 401
    key = ApiKey.objects.get()
    assert (key.scopes, key.revoked_reason) == (["model_runs:read"], "Tried out.")
    assert key.expires_at is not None
    assert 3500 < (key.expires_at - key.created_at).total_seconds() <= 3600

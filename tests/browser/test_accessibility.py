"""Every page that Helios writes, measured against WCAG 2.2 AA by axe: in light and dark, on a phone and a desk. None
scrolls sideways, weighs too much, or makes the browser complain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.audit import SYSTEM
from apps.accounts.invitations import invite_member
from apps.accounts.models import Membership, Organization
from apps.accounts.organizations import change_consent_text
from helios_site.documentation.pages import PAGES
from tests.accounts.signing import PASSWORD, make_person
from tests.browser.examiner import Examiner
from tests.browser.test_activity import new_run
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, MakeKey, serving
from tests.model_runs.conftest import FAILED, MakeRun, make_finished, make_run, make_running
from tests.model_runs.results import ALARMING, OUTLINE
from tests.model_runs.test_result_pages import make_story

__all__ = ["make_finished", "make_run", "make_running"]  # fixtures

pytestmark = [pytest.mark.browser, RECORDINGS]
EVERY_STEP = "document.querySelectorAll('[hidden]').forEach((step) => { step.hidden = false; })"
FAULTS = """
document.querySelector("main").innerHTML = `<input id="nameless"><p>faint</p><a href="/a">a</a><br><a href="/b">b</a>`;
document.querySelector("main p").style.cssText = "color: #999; background: #aaa";
for (const link of document.querySelectorAll("main a")) link.style.cssText = "display: block; width: 9px; height: 9px";
"""
BEFORE = ["/", "/login", "/signup", "/reset-password", "/docs", *(f"/docs/{name}" for name in PAGES)]
SIGNED_IN = [
    "/account", "/account/email", "/account/password", "/account/sessions", "/account/two-step",
    "/organization", "/organization/settings", "/organization/close", "/usage", "/first-key", "/browse/", "/runs",
    "/", "/keys", "/keys/new", "/checks/new", "/webhooks", "/webhooks/new", "/audit",
]  # fmt: skip
MISSING = "/there-is-no-such-page"


def sign_in(visitor: Visitor, email: str, password: str) -> None:
    visitor.goto("/login")
    visitor.type(email)
    visitor.press("Tab")
    visitor.type(password)
    with visitor.page.expect_navigation():  # or the next step may come before the answer
        visitor.press("Enter")


def test_no_page_keeps_people_out(
    transactional_db: None,
    organization: Organization,
    other_organization: Organization,
    make_key: MakeKey,
    make_run: MakeRun,
    make_finished: MakeRun,
    make_running: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    person, colleague = make_person(), make_person("colleague@example.org")
    for member, clinic, role in (
        (person, organization, "admin"),
        (colleague, organization, "member"),
        (person, other_organization, "member"),
    ):
        Membership.objects.create(organization=clinic, user=member, role=role)
    for text in ("We listen.", "We listen closely."):
        change_consent_text(actor=SYSTEM, organization_id=organization.pk, text=text)
    invite_member(actor=SYSTEM, organization=organization, email="invited@example.org", role="member")
    result = make_story(make_finished)
    alarming = make_finished(user_label="person-2", analysis=ALARMING)
    failed = make_finished(user_label="person-3", analysis=replace(FAILED, outline={**OUTLINE, "pitch": None}))
    unfinished = (make_running(user_label="person-4"), make_run(user_label="person-5"))
    runs = [f"/runs/{run.id}" for run in (result, alarming, failed, *unfinished)]
    found: list[str] = []
    complaints: list[str] = []
    of_faults: list[str] = []  # what it must find, so that an empty list means something

    def read(visitor: Visitor) -> None:
        page, examiner = visitor.page, Examiner(visitor.page)
        examiner.open(activity)
        page.evaluate(EVERY_STEP)
        examiner.look("every step of the activity")
        for path in BEFORE:
            examiner.open(path)
        sign_in(visitor, person.email, "not the password")
        assert page.title().startswith("Error: ")
        examiner.look("/login with errors")
        sign_in(visitor, person.email, PASSWORD)
        for path in (*SIGNED_IN, "/organization/consent-texts/1", *runs):
            examiner.open(path)
        complaints.extend(visitor.complaints)
        examiner.open(MISSING, status=404)
        for path in ("/runs", runs[0], "/docs/keys"):
            examiner.open(path, width=1440)
        found.extend(examiner.found)
        page.evaluate(FAULTS)
        examiner.look("faults")
        of_faults.extend(examiner.found[len(found) :])

    def other_key(**fields: Any) -> Any:
        return make_key(organization=other_organization, **fields)

    monkeypatch.setenv("HELIOS_SIGNUP", "open")
    with serving(tmp_path / "web.log") as server:
        _, activity = new_run(server, other_key)  # this clinic has no key yet: its page of the first one says so
        visit(server, tmp_path, read)
    assert found == [], "\n".join(found)
    assert complaints == []
    said = "\n".join(of_faults)
    assert [rule for rule in ("label", "color-contrast", "target-size") if f": {rule} (" not in said] == []

"""The pages of two-step sign-in and of an invitation, which one reaches by acting alone, measured by axe."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core import mail

from apps.accounts.audit import SYSTEM
from apps.accounts.invitations import invite_member, send_due_invitations
from apps.accounts.models import Membership, Organization
from tests.accounts.signing import PASSWORD, code_for, mailed_path, make_person
from tests.browser.examiner import Examiner
from tests.browser.test_accessibility import sign_in
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, Server

pytestmark = [pytest.mark.browser, RECORDINGS]


def test_no_page_of_two_steps_and_invitations_keeps_people_out(
    server: Server, organization: Organization, other_organization: Organization, tmp_path: Path
) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="admin")
    for email in (person.email, "stranger@example.org"):
        invite_member(actor=SYSTEM, organization=other_organization, email=email, role="member")
    send_due_invitations()
    links = {sent.to[0]: mailed_path(position) for position, sent in enumerate(mail.outbox)}
    found: list[str] = []

    def act(visitor: Visitor) -> None:
        page, examiner = visitor.page, Examiner(visitor.page)
        for link in (*links.values(), "/invitations/no-such-link"):
            examiner.open(link, status=404 if link.endswith("no-such-link") else 200)
        visitor.complaints.clear()  # of the page that is not there
        sign_in(visitor, person.email, PASSWORD)
        examiner.open(links[person.email])
        examiner.open(links["stranger@example.org"])
        examiner.open("/account/confirm?next=/account/two-step/on")
        page.get_by_label("Password").fill(PASSWORD)
        with page.expect_navigation():
            visitor.press("Enter")
        examiner.open("/account/two-step/on")
        secret = page.locator(".codes").inner_text()
        page.get_by_label("Code").fill("000000")
        visitor.click(page.get_by_role("button", name="Turn it on"))
        examiner.look("two steps, refused")
        page.get_by_label("Code").fill(code_for(secret))
        visitor.click(page.get_by_role("button", name="Turn it on"))
        examiner.look("two steps, on")
        for path in ("/account/two-step", "/account/recovery-codes", "/account/recovery-codes/new"):
            examiner.open(path)
        examiner.open("/account/two-step/off")
        visitor.click(page.get_by_role("button", name="Sign out").last)
        sign_in(visitor, person.email, PASSWORD)
        assert page.url.endswith("/login/code")
        examiner.look("/login/code")
        page.get_by_label("Code").fill(code_for(secret, step=2))
        with page.expect_navigation():
            visitor.press("Enter")
        assert not page.url.endswith("/login/code")
        found.extend(examiner.found)

    visitor = visit(server, tmp_path, act)
    assert found == [], "\n".join(found)
    assert visitor.complaints == []

"""An admin makes a webhook, tries it, and sees what became of it without a reload."""

from __future__ import annotations

import ipaddress
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Membership, Organization
from apps.api_keys.models import UsageDay
from apps.webhooks import sending
from apps.webhooks.models import WebhookEndpoint
from tests.accounts.signing import PASSWORD, make_person
from tests.browser.examiner import Examiner
from tests.browser.test_accessibility import sign_in
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, MakeKey, serving
from tests.receiver import answer, receiving

pytestmark = [pytest.mark.browser, RECORDINGS]


def deliver() -> None:
    """As a sender does it, elsewhere: in a thread that runs Playwright's event loop Django has no database."""

    def work() -> None:
        try:
            sending.deliver_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result()


def test_a_webhook_is_made_tested_and_resent(
    transactional_db: None,
    organization: Organization,
    make_key: MakeKey,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="admin")
    monkeypatch.setenv("HELIOS_WEBHOOK_ALLOW_CIDRS", "127.0.0.0/8")
    settings.HELIOS_WEBHOOK_ALLOW_CIDRS = (ipaddress.ip_network("127.0.0.0/8"),)

    key, today = make_key()[0], timezone.now().date()
    UsageDay.objects.create(organization=organization, key=key, day=today, requests_2xx=20, requests_429=3, runs_ok=2)
    found: list[str] = []

    def errand(visitor: Visitor) -> None:
        page = visitor.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        sign_in(visitor, person.email, PASSWORD)
        visitor.goto("/webhooks")
        visitor.click(page.get_by_role("link", name="Make the first webhook"))
        page.get_by_label("URL", exact=True).fill(receiver.url())
        page.get_by_label("model_run.safety").check()
        visitor.click(page.get_by_role("button", name="Make the webhook"))
        secret = page.locator("#secret").inner_text()
        visitor.click(page.get_by_role("button", name="Copy"))
        page.get_by_text("Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == secret
        assert secret.startswith("whsec_")
        visitor.click(page.get_by_role("link", name="Go on: send a test event"))
        visitor.click(page.get_by_role("button", name="Send a test event"))
        row = page.locator("[data-delivery]")
        assert "On its way" in row.inner_text()
        deliver()
        row.get_by_text("Delivered", exact=True).wait_for()  # without a reload
        assert page.locator("[data-news]").inner_text() == "webhook.test: Delivered, status 200."
        receiver.reply = answer(503, b"closed for lunch")
        visitor.click(row.get_by_role("button", name="Resend"))
        deliver()
        row.get_by_text("Failed", exact=True).wait_for()  # a test is tried once
        visitor.click(row.get_by_text("Body and answer"))
        assert row.get_by_text("closed for lunch").is_visible()
        examiner = Examiner(page)
        examiner.open(urlsplit(page.url).path)
        examiner.open("/webhooks")
        examiner.open("/usage?days=7")
        assert page.locator("rect.requests_429").count() == 1
        found.extend(examiner.found)

    with receiving() as receiver, serving(tmp_path / "web.log") as server:
        visitor = visit(server, tmp_path, errand)
    assert visitor.complaints == []
    assert found == [], "\n".join(found)
    assert [(call.path, b"webhook.test" in call.body) for call in receiver.calls] == [("/hook", True)] * 2
    assert receiver.calls[0].headers["webhook-id"] == receiver.calls[1].headers["webhook-id"]
    assert WebhookEndpoint.objects.get().events == ["model_run.completed", "model_run.failed", "model_run.safety"]

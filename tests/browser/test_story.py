"""A newcomer's first hour with a whole installation: real processes, a mail, the sound of a microphone, a webhook.
Every page on the way is measured by axe, and the browser complains of nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.examiner import Examiner
from tests.browser.test_activity import LONG, begin, hearing, press, record
from tests.browser.visitor import SIZE, Visitor, visit
from tests.chaos.installation import Installation, installation, wait_for
from tests.receiver import Receiver, receiving

pytestmark = [pytest.mark.browser]
SETTINGS = {"HELIOS_SIGNUP": "open", "HELIOS_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8"}
PASSWORD = "correct horse battery"
PHONE = ViewportSize(width=390, height=844)
ADDRESS = "ada@example.org"


@pytest.fixture(autouse=True)
def _empty_valkey() -> None:
    """In place of the fixture of that name: the installation has one of its own."""


class Newcomer:
    """Goes from page to page by what the pages offer; addresses are typed twice, at the beginning and for the mail."""

    def __init__(self, visitor: Visitor, helios: Installation, receiver: Receiver) -> None:
        self.visitor, self.page = visitor, visitor.page
        self.helios, self.receiver = helios, receiver
        self.examiner = Examiner(visitor.page)

    def follow(self, name: str) -> None:
        self.visitor.click(self.page.get_by_role("main").get_by_role("link", name=name).first)

    def press(self, name: str) -> None:
        press(self.visitor, self.page, name)

    def menu(self, name: str) -> None:
        folded = self.page.get_by_text("Menu", exact=True)
        if folded.is_visible():
            folded.click()
        self.visitor.click(self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True))

    def look(self, name: str) -> None:
        self.examiner.look(name)

    def mailed_link(self) -> str:
        """From the log of the web server: this installation has no mail server."""
        log = self.helios.folder / "logs" / "web.log"

        def found() -> list[str]:
            return re.findall(r"http\S+/verify-email/\S+", log.read_text())

        wait_for(found, 10, "the mail", self.helios.report)
        return found()[-1]

    def signs_up(self) -> None:
        self.visitor.goto(self.helios.url)
        self.look("the first page, before signing up")
        self.follow("Sign up")
        self.page.get_by_label("Organisation").fill("Western Clinic")
        self.page.get_by_label("E-mail address").fill(ADDRESS)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Sign up")
        expect(self.page.get_by_role("heading", name="Look into your mail")).to_be_visible()
        self.look("look into your mail")
        self.visitor.goto(self.mailed_link())
        self.look("verify")
        self.press("Yes, verify it")

    def gets_the_first_key(self) -> str:
        self.look("before the first key")
        self.press("Show my first key")
        self.look("the first key")
        raw_key = self.page.locator("#key").inner_text()
        self.follow("I have kept it")
        return raw_key

    def runs_the_sample(self) -> None:
        self.press("Run the sample")
        expect(self.page.get_by_role("link", name="See why")).to_be_visible(timeout=LONG)
        assert self.page.locator("[data-score]").count() == 6
        self.look("the sample's scores")

    def makes_a_webhook(self) -> None:
        self.menu("Webhooks")
        self.look("no webhook")
        self.follow("Make the first webhook")
        self.page.get_by_label("URL", exact=True).fill(self.receiver.url())
        self.page.get_by_label("api_key.revoked").check()
        self.press("Make the webhook")
        self.look("the webhook's secret")

    def records(self) -> str:
        """What the person was told of the seconds that they spoke."""
        self.menu("New check")
        self.page.get_by_label("Label").fill("person-1")
        self.page.get_by_label("Date of birth").fill("1990-08-24")
        self.page.get_by_label("Birth sex").select_option("FEMALE")
        self.press("Make the link")
        self.look("the link of a check")
        console = self.page.url
        self.visitor.goto(self.page.get_by_label("Link", exact=True).input_value())
        begin(self.visitor, self.page, "A picture")
        record(self.visitor, self.page)
        self.look("recorded")
        spoken = self.page.locator("#verdict").inner_text()
        self.press("Send")
        expect(self.page.get_by_role("heading", name="Thank you")).to_be_visible(timeout=LONG)
        self.visitor.goto(console)
        return spoken

    def reads_the_result(self) -> None:
        expect(self.page.get_by_role("heading", name="Voice wellness check")).to_be_visible(timeout=LONG)
        self.look("the result")
        assert "person-1" in self.page.get_by_role("main").inner_text()

    def rotates_and_revokes(self) -> str:
        """The raw key that took the first one's place for a while."""
        self.menu("Keys")
        self.look("the list of keys")
        self.follow("First key")
        self.follow("Rotate")
        self.look("rotate")
        self.press("Make the new key")
        raw_key = self.page.locator("#raw-key").inner_text()
        self.follow("I have stored it")
        self.follow("Revoke")
        self.page.get_by_label("Why").fill("Tried out.")
        self.press("Revoke this key")
        self.look("a revoked key")
        return raw_key

    def finds_the_deliveries(self) -> None:
        self.menu("Webhooks")
        self.follow(self.receiver.url())
        for event in ("model_run.completed", "api_key.revoked"):
            row = self.page.locator("[data-delivery]").filter(has_text=event).first
            expect(row.get_by_text("Delivered", exact=True)).to_be_visible(timeout=LONG)
        self.look("the deliveries")

    def logs_out(self) -> None:
        folded = self.page.get_by_text("Menu", exact=True)
        if folded.is_visible():
            folded.click()
        self.visitor.click(self.page.get_by_role("navigation", name="Main").get_by_role("button", name="Sign out"))
        self.visitor.goto(f"{self.helios.url}/runs")
        assert "/login" in self.page.url


@pytest.mark.parametrize("size", [SIZE, PHONE], ids=["desk", "phone"])
def test_from_signing_up_to_logging_out(size: ViewportSize, tmp_path: Path) -> None:
    told: dict[str, Any] = {}

    def live(visitor: Visitor) -> None:
        newcomer = Newcomer(visitor, helios, receiver)
        newcomer.signs_up()
        told["first key"] = newcomer.gets_the_first_key()
        newcomer.runs_the_sample()
        newcomer.makes_a_webhook()
        told["spoken"] = newcomer.records()
        newcomer.reads_the_result()
        told["second key"] = newcomer.rotates_and_revokes()
        newcomer.finds_the_deliveries()
        newcomer.logs_out()
        told["found"] = newcomer.examiner.found

    with receiving() as receiver, installation(SETTINGS, workers=1) as helios:
        visitor = visit(helios, tmp_path, live, arguments=hearing(), size=size)
        known = helios.query("SELECT key_prefix, revoked_at IS NOT NULL AS revoked FROM api_keys_apikey")
        runs = helios.query("SELECT user_label, status FROM model_runs_modelrun ORDER BY created_at")
    assert visitor.complaints == []
    assert told["found"] == [], "\n".join(told["found"])
    assert int(told["spoken"].split()[0]) >= 12
    assert runs == [{"user_label": label, "status": "COMPLETE_OK"} for label in ("sample", "person-1")]
    revoked = {row["key_prefix"]: row["revoked"] for row in known}
    states = {name: next(state for prefix, state in revoked.items() if told[f"{name} key"].startswith(prefix))
              for name in ("first", "second")}  # fmt: skip
    assert states == {"first": False, "second": True}, "the first one has its days of grace"
    events = [json.loads(call.body)["type"] for call in receiver.calls]
    assert sorted(events) == ["api_key.revoked", "model_run.completed"]

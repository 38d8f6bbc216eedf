"""A newcomer runs the sample on the first page, and their program runs the lines that stand there."""

from __future__ import annotations

import json
import re
import subprocess
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from apps.accounts.models import AuditEvent, Membership, Organization
from apps.model_runs.models import ModelRun
from tests import audio
from tests.accounts.signing import PASSWORD, make_person
from tests.browser.examiner import Examiner
from tests.browser.test_accessibility import sign_in
from tests.browser.test_activity import PHONE, press
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, MakeKey, Server

pytestmark = [pytest.mark.browser, RECORDINGS]
LONG = 120_000  # milliseconds that a busy machine may take to score 44 s


def test_the_button_leads_to_six_scores_and_the_lines_to_the_same(
    server: Server, worker: Path, organization: Organization, make_key: MakeKey, tmp_path: Path
) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="member")
    key, raw_key = make_key()
    copied: list[str] = []
    found: list[str] = []

    def run_the_sample(member: Visitor) -> None:
        page = member.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        sign_in(member, person.email, PASSWORD)
        page.wait_for_url("/")
        press(member, page, "Run the sample")
        expect(page.get_by_role("link", name="See why")).to_be_visible(timeout=LONG)
        member.keep("scored")
        scores = page.locator("[data-score]")
        assert scores.count() == 6
        for score in scores.all():
            assert re.fullmatch(
                r"[A-Z][a-z -]+\s+[01]\.\d\d\s+[01]\.\d\d to [01]\.\d\d, (low|medium|high) confidence",
                score.inner_text().strip(),
            )
        assert [step.inner_text().split()[0] for step in page.locator("[data-answer]").all()] == ["200", "200,", "200"]
        examiner = Examiner(page)
        examiner.look("/ with the scores")
        found.extend(examiner.found)
        press(member, page, "Copy the curl lines")
        expect(page.get_by_text("Copied", exact=True)).to_be_visible()
        copied.append(page.evaluate("navigator.clipboard.readText()"))
        expect(page.get_by_role("table").get_by_role("link", name="sample")).to_be_visible()
        expect(page.get_by_text("There is no run yet.")).to_be_hidden()
        expect(page.locator("[data-scored]")).to_have_text("1")
        member.click(page.get_by_role("link", name="See why"))
        expect(page.get_by_role("heading", name="Voice wellness check")).to_be_visible()
        assert "sample" in page.get_by_role("main").inner_text()

    visitor = visit(server, tmp_path, run_the_sample, size=PHONE)
    assert visitor.complaints == []
    assert found == []
    assert ModelRun.objects.get().status == "COMPLETE_OK"
    assert AuditEvent.objects.filter(action="model_run.listed").count() == 1, "of the page that was opened"

    (tmp_path / "recording.wav").write_bytes(audio.wav(audio.cut(audio.speech_44s(), 0, 16)))
    # The server tells the address of an installation, not its own port.
    here = f'curl() {{ command curl "${{@//http:\\/\\/127.0.0.1:8000/{server.url}}}"; }}'
    lines = copied[0].replace(f"{key.key_prefix}…", raw_key)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{here}\n{lines}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    run = json.loads(done.stdout)
    assert (run["status"], run["userLabel"]) == ("COMPLETE_OK", "person-1")


def test_what_goes_wrong_is_said_with_what_to_do(server: Server, organization: Organization, tmp_path: Path) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="member")

    def try_it(member: Visitor) -> None:
        page = member.page
        sign_in(member, person.email, PASSWORD)
        page.wait_for_url("/")
        alert = page.get_by_role("alert")
        refusals: list[tuple[int, dict[str, str], str]] = [
            (429, {"Retry-After": "7"}, "Wait 7 seconds"),
            (503, {"X-Request-ID": "request-1"}, "tell its operator request-1"),
            (401, {}, "Load this page again"),
        ]
        for status, headers, said in refusals:
            page.route("**/browse/**", partial(Route.fulfill, status=status, headers=headers), times=1)
            press(member, page, "Run the sample")
            expect(alert).to_contain_text(said)
        page.route("**/uploads/**", lambda route: route.abort())
        press(member, page, "Run the sample")
        expect(alert).to_contain_text("The connection was lost.")
        assert page.locator("[data-state=failed]").count() == 1
        member.click(alert.get_by_role("link", name="The run's page"))
        expect(page.get_by_role("heading", name="Waits for its recording")).to_be_visible()

    visit(server, tmp_path, try_it)
    assert ModelRun.objects.get().user_label == "sample"

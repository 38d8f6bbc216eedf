"""A run's page as a member sees it: on a phone and on a desk, in light and in dark, on paper, and while it waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest
from django.db import connection
from pypdf import PdfReader

from apps.accounts.models import Membership, Organization
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from tests.accounts.signing import PASSWORD, make_person
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, Server
from tests.model_runs.conftest import FAILED, MakeRun, make_finished, make_run, make_running
from tests.model_runs.results import ALARMING, OUTLINE, RICH
from tests.model_runs.test_result_pages import make_story

__all__ = ["make_finished", "make_run", "make_running"]  # fixtures

pytestmark = [pytest.mark.browser, RECORDINGS]
# Parts of the page that cannot be seen without scrolling sideways.
HIDDEN_PIXELS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
REFUSED = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective));
"""


def test_pages_of_runs_in_both_widths_and_colours_without_a_complaint(
    server: Server,
    organization: Organization,
    make_finished: MakeRun,
    make_running: MakeRun,
    tmp_path: Path,
) -> None:
    person = make_person()
    Membership.objects.create(organization=organization, user=person, role="member")
    run = make_story(make_finished)
    alarming = make_finished(user_label="person-2", analysis=ALARMING)
    failed = make_finished(user_label="person-3", analysis=replace(FAILED, outline={**OUTLINE, "pitch": None}))
    waiting = make_running(user_label="person-4")
    pages = ["/runs", *(f"/runs/{one.id}" for one in (run, alarming, failed)), f"/runs/{run.id}/model-card"]

    def read(member: Visitor) -> None:
        page = member.page
        page.add_init_script(REFUSED)
        member.goto("/login")
        member.type(person.email)
        member.press("Tab")
        member.type(PASSWORD)
        member.press("Enter")
        for width, scheme in product((390, 1440), ("light", "dark")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for path in pages:
                member.goto(path)
                assert page.evaluate("window.refused") == []
                assert page.evaluate(HIDDEN_PIXELS) <= 0, (path, width)
        member.goto(f"/runs/{run.id}")
        page.emulate_media(media="print", color_scheme="dark")
        member.press("Escape")
        printed = page.pdf(path=tmp_path / "result.pdf", format="A4")
        on_paper = " ".join(sheet.extract_text() for sheet in PdfReader(BytesIO(printed)).pages)
        assert "Before you read the scores" in on_paper
        assert "0.6200" in on_paper, "what is folded on the screen is unfolded"
        assert "Sign out" not in on_paper
        page.emulate_media(media="screen", color_scheme="light")
        member.goto(f"/runs/{waiting.id}")
        assert page.get_by_text("a worker scores it").is_visible()
        finish(waiting)
        page.get_by_role("heading", name="Voice wellness check").wait_for()  # without a reload by hand

    visitor = visit(server, tmp_path, read)
    assert visitor.complaints == []


def finish(run: ModelRun) -> None:
    """As a worker does it, elsewhere: in a thread that runs Playwright's event loop Django has no database."""

    def work() -> None:
        try:
            claim = services.claim_run(run_id=run.id)
            assert claim is not None
            assert services.finish_run(claim=claim, analysis=RICH)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result()

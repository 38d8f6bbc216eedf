"""A person records themselves on the hosted page, with a real recording as what the microphone hears."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, ViewportSize, expect

from apps.model_runs.models import ModelRun
from apps.model_runs.wellness.decode import decode
from apps.model_runs.wellness.interface import Limits
from apps.model_runs.wellness.speech import find_speech
from helios_site.storage import object_store
from tests import audio
from tests.browser.visitor import SIZE, Visitor, visit
from tests.conftest import RECORDINGS, MakeKey, Server
from tests.contract.helios.calls import minimal_body

pytestmark = [pytest.mark.browser, RECORDINGS]
ACTIVITY = "/v1/models/mental-wellness-activity"
PHONE = ViewportSize(width=390, height=844)
ENOUGH = re.compile("1[2-9]|[2-9][0-9]")
SECONDS = 120_000  # milliseconds that a busy machine may take for 12 s of speech
COUNT = """
async ([rate, bytes]) => {
  const { FrameMeter } = await import("/static/helios/activity/frames.js");
  const { SpeechCounter } = await import("/static/helios/activity/speech.js");
  const samples = new Float32Array(Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)).buffer);
  const meter = new FrameMeter(rate), counter = new SpeechCounter();
  for (const frame of meter.push(samples)) counter.push(frame);
  return counter.seconds;
}
"""


def hearing(recording: str = "two_cities.wav") -> list[str]:
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={audio.asset_path(recording)}",
    ]


def new_run(server: Server, make_key: MakeKey, **changes: Any) -> tuple[str, str]:
    """The id of a run, and the path of its link."""
    headers = {"x-api-key": make_key()[1], "content-type": "application/json"}
    with server.connect() as http:
        http.request("POST", ACTIVITY, json.dumps(minimal_body(**changes)), headers)
        response = http.getresponse()
        reply = json.loads(response.read())
    assert response.status == 200, reply
    return reply["id"], server.here(reply["activityLink"])


def record(visitor: Visitor, page: Page | Frame) -> None:
    """From the consent until 12 s of speech are counted."""

    def press(name: str) -> None:
        visitor.click(page.get_by_role("button", name=name, exact=True))

    press("I agree, continue")
    press("Turn on the microphone")
    expect(page.get_by_role("button", name="Continue")).to_be_enabled(timeout=SECONDS)
    visitor.keep("heard")
    press("Continue")
    page.get_by_label("A short text").check()
    press("Continue")
    press("Start recording")
    expect(page.locator("#seconds")).to_have_text(ENOUGH, timeout=SECONDS)
    visitor.keep("spoken")
    press("Finish")


@pytest.mark.parametrize(("size", "is_dark"), [(PHONE, False), (SIZE, True)], ids=["phone", "dark"])
def test_a_person_records_listens_and_sends(
    server: Server, make_key: MakeKey, tmp_path: Path, size: ViewportSize, is_dark: bool
) -> None:
    run_id, link = new_run(server, make_key)
    shown: list[int] = []

    def errand(person: Visitor) -> None:
        page = person.page
        person.goto(link)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        record(person, page)
        shown.append(int(page.locator("#verdict").inner_text().split()[0]))
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        person.click(page.get_by_role("button", name="Send"))
        expect(page.get_by_role("heading", name="Thank you. Your recording has arrived.")).to_be_visible(
            timeout=SECONDS
        )
        person.keep("done")
        person.goto(link)
        assert "A link is good for one recording." in page.content()

    person = visit(server, tmp_path, errand, arguments=hearing(), size=size, is_dark=is_dark)
    assert person.complaints == []
    run = ModelRun.objects.get(id=run_id)
    assert run.status != "CREATED"
    assert (run.consent_version, run.consented_at is not None) == ("helios-1", True)
    assert 12 <= shown[0] <= heard_by_the_server(run) + 0.3


def heard_by_the_server(run: ModelRun) -> float:
    with object_store().local_path(run.recording_key) as path:
        return find_speech(decode(path, Limits()).samples).speech_seconds

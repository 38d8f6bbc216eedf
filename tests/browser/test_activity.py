"""A person records themselves on the hosted page, with a real recording as what the microphone hears."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, Route, ViewportSize, expect

from apps.accounts.models import Organization
from apps.model_runs.models import ModelRun
from apps.model_runs.wellness.decode import decode
from apps.model_runs.wellness.interface import Limits
from apps.model_runs.wellness.speech import find_speech
from helios_site.storage import object_store
from tests import audio
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, MakeKey, Server
from tests.contract.helios.calls import minimal_body

pytestmark = [pytest.mark.browser, RECORDINGS]
ACTIVITY = "/v1/models/mental-wellness-activity"
CLINIC = "https://clinic.example.org"
PHONE = ViewportSize(width=390, height=844)
ENOUGH = re.compile("1[2-9]|[2-9][0-9]")
LONG = 120_000  # milliseconds that a busy machine may take for 12 s of speech
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


def press(visitor: Visitor, page: Page | Frame, name: str) -> None:
    visitor.click(page.get_by_role("button", name=name, exact=True))


def begin(visitor: Visitor, page: Page | Frame, prompt: str) -> None:
    """From the consent to the page on which the recording starts."""
    press(visitor, page, "I agree, continue")
    press(visitor, page, "Turn on the microphone")
    expect(page.get_by_role("button", name="Continue")).to_be_enabled(timeout=LONG)
    visitor.keep("heard")
    press(visitor, page, "Continue")
    page.get_by_label(prompt).check()
    press(visitor, page, "Continue")


def record(visitor: Visitor, page: Page | Frame) -> int:
    """Until 12 s of speech are counted; the seconds that are shown in the end."""
    press(visitor, page, "Start recording")
    expect(page.locator("#seconds")).to_have_text(ENOUGH, timeout=LONG)
    expect(page.locator("#count")).to_have_class(re.compile("enough"))
    visitor.keep("spoken")
    press(visitor, page, "Finish")
    return int(page.locator("#verdict").inner_text().split()[0])


def heard_by_the_server(run: ModelRun) -> float:
    with object_store().local_path(run.recording_key) as path:
        return find_speech(decode(path, Limits()).samples).speech_seconds


@contextmanager
def site(frame: str, allow: str = "microphone") -> Iterator[str]:
    """The port of a site on this machine whose page shows `frame`, and keeps the messages that it hears."""
    page = (
        "<!doctype html><title>Clinic</title><link rel=icon href=data:,><script>heard = [];"
        "addEventListener('message', (event) => heard.push({...event.data, from: event.origin}))</script>"
        f"<iframe src='{frame}' allow='{allow}' width='900' height='800' title='Voice check'></iframe>"
    ).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_address[1])
        server.shutdown()


def width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_a_person_records_on_a_phone_and_is_led_back(
    server: Server, make_key: MakeKey, organization: Organization, tmp_path: Path
) -> None:
    organization.activity_origins = [CLINIC]
    organization.save()
    run_id, link = new_run(server, make_key, returnUrl=f"{CLINIC}/back?of=1")
    shown: list[int] = []

    def errand(person: Visitor) -> None:
        page = person.page
        person.goto(link)
        begin(person, page, "A picture")
        press(person, page, "Start recording")
        press(person, page, "Pause")
        expect(page.locator("#hint")).to_contain_text("Paused")
        press(person, page, "Finish")
        assert page.get_by_role("button", name="Send").is_disabled()
        assert "10 are needed" in page.locator("#verdict").inner_text()
        press(person, page, "Record again")
        shown.append(record(person, page))
        assert width(page) <= PHONE["width"]
        press(person, page, "Send")
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible(timeout=LONG)
        expect(page.get_by_role("heading", name="Thank you")).to_be_focused()
        person.keep("done")
        page.route(
            f"{CLINIC}/**", lambda route: route.fulfill(body="<!doctype html><link rel=icon href=data:,>Welcome back")
        )
        page.wait_for_url(f"{CLINIC}/back?of=1", timeout=LONG)
        person.goto(link)
        assert "A link is good for one recording." in page.content()

    person = visit(server, tmp_path, errand, arguments=hearing(), size=PHONE)
    assert person.complaints == []
    run = ModelRun.objects.get(id=run_id)
    assert run.status != "CREATED"
    assert (run.consent_version, run.consented_at is not None) == ("helios-1", True)
    assert 12 <= shown[0] <= heard_by_the_server(run) + 0.3


def test_in_a_frame_of_an_allowed_site_which_hears_how_far_it_is_and_after_a_lost_connection(
    server: Server, make_key: MakeKey, organization: Organization, tmp_path: Path
) -> None:
    run_id, link = new_run(server, make_key)
    lost: list[str] = []
    heard: list[dict[str, str]] = []

    def lose_once(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.request.url)
            route.abort("connectionreset")

    def errand(person: Visitor) -> None:
        page = person.page
        page.goto(around)
        frame = page.frames[1]
        page.route("**/uploads/**", lose_once)
        begin(person, frame, "A short text")
        record(person, frame)
        press(person, frame, "Send")
        expect(frame.locator("#sending-said")).to_contain_text("The connection was lost.")
        person.keep("lost")
        expect(frame.get_by_role("heading", name="Thank you")).to_be_visible(timeout=LONG)
        person.keep("done")
        heard.extend(page.evaluate("heard"))

    with site(server.url + link) as port:
        around = f"http://127.0.0.1:{port}/"
        organization.activity_origins = [CLINIC, around.rstrip("/")]
        organization.save()
        person = visit(server, tmp_path, errand, arguments=hearing(), is_dark=True)
    types = [message["type"].removeprefix("helios.activity.") for message in heard]
    assert types == ["ready", "recording", "uploaded", "complete"]
    assert {(message["modelRunId"], message["from"]) for message in heard} == {(run_id, server.url)}
    assert ModelRun.objects.get(id=run_id).status != "CREATED"
    assert [said for said in person.complaints if lost[0] not in said] == []


def test_a_frame_that_keeps_the_microphone_back_leads_to_a_window_of_its_own(
    server: Server, make_key: MakeKey, organization: Organization, tmp_path: Path
) -> None:
    _, link = new_run(server, make_key)
    heard: list[dict[str, str]] = []

    def errand(person: Visitor) -> None:
        person.page.goto(around)
        frame = person.page.frames[1]
        press(person, frame, "I agree, continue")
        press(person, frame, "Turn on the microphone")
        expect(frame.get_by_role("link", name="Open it in a window of its own")).to_have_attribute(
            "href", server.url + link
        )
        person.keep("told")
        heard.extend(person.page.evaluate("heard"))

    with site(server.url + link, allow="") as port:
        around = f"http://127.0.0.1:{port}/"
        organization.activity_origins = [around.rstrip("/")]
        organization.save()
        visit(server, tmp_path, errand, arguments=hearing())
    assert [message.get("code") for message in heard] == [None, "frame_without_microphone"]


def test_no_other_site_can_show_it(
    server: Server, make_key: MakeKey, organization: Organization, tmp_path: Path
) -> None:
    _, link = new_run(server, make_key)
    heard: list[object] = []

    def errand(person: Visitor) -> None:
        with person.page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            person.page.goto(around)
        person.keep("refused")
        heard.extend(person.page.evaluate("heard"))

    with site(server.url + link) as port:
        around = f"http://localhost:{port}/"
        organization.activity_origins = [f"http://127.0.0.1:{port}"]
        organization.save()
        visit(server, tmp_path, errand)
    assert heard == []


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["--use-fake-device-for-media-stream"], "The microphone is blocked"),
        (["--use-fake-ui-for-media-stream"], "No microphone was found"),
    ],
    ids=["blocked", "missing"],
)
def test_without_a_microphone_it_says_what_to_do(
    server: Server, make_key: MakeKey, tmp_path: Path, arguments: list[str], title: str
) -> None:
    _, link = new_run(server, make_key)

    def errand(person: Visitor) -> None:
        person.goto(link)
        press(person, person.page, "I agree, continue")
        press(person, person.page, "Turn on the microphone")
        expect(person.page.get_by_role("alert").get_by_role("heading")).to_have_text(title)
        expect(person.page.get_by_role("button", name="Try again")).to_be_visible()
        person.keep("told")

    person = visit(server, tmp_path, errand, arguments=arguments, size=PHONE)
    assert person.complaints == []


def test_the_count_of_speech_is_never_above_that_of_the_server(
    server: Server, make_key: MakeKey, tmp_path: Path
) -> None:
    _, link = new_run(server, make_key)
    man, other = audio.speech_44s(), audio.speech_10s()
    sounds = {
        "man": man,
        "other": other,
        "first half": audio.cut(man, 0, 22),
        "noise around": audio.add_noise(man, 15),
        "quiet": audio.gain(man, -20),
        "telephone": audio.telephone(man),
        "no speech": audio.join(audio.pink_noise(5), audio.hum(5), audio.keyboard(5), audio.drums(5), audio.chords(5)),
    }
    counted: dict[str, float] = {}

    def errand(person: Visitor) -> None:
        person.goto(link)
        for name, samples in sounds.items():
            content = base64.b64encode(samples.astype("<f4").tobytes()).decode()
            counted[name] = person.page.evaluate(COUNT, [audio.RATE, content])

    visit(server, tmp_path, errand)
    served = {name: find_speech(samples).speech_seconds for name, samples in sounds.items()}
    assert {name: counted[name] for name in sounds if counted[name] > served[name] + 0.3} == {}
    assert counted["man"] > 0.8 * served["man"], "nor far below it"
    assert counted["other"] > 0.8 * served["other"]

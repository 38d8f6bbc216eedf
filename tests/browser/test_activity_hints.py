"""What the hosted page says when a recording goes badly: the room, the microphone, the connection, the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from apps.model_runs.models import ModelRun
from tests import audio
from tests.browser.test_activity import LONG, PHONE, begin, new_run, press
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, MakeKey, Server

pytestmark = [pytest.mark.browser, RECORDINGS]
SEND = """
(url) => {
  window.told = [];
  import("/static/helios/activity/sending.js").then(({ send }) => send({
    url, recording: new Blob(["RIFF"]), deadline: performance.now() + 3600000, onProgress: () => {},
    onWait: ({ seconds }) => window.told.push(seconds),
  })).then(() => window.told.push("sent"), (error) => window.told.push(error.code));
}
"""
SOUNDS: dict[str, tuple[Callable[[], audio.Samples], str]] = {
    "noise": (
        lambda: audio.add_noise(audio.cut(audio.speech_44s(), 0, 12), 8),
        "It is noisy around you.",
    ),
    "clipping": (lambda: audio.clip(audio.cut(audio.speech_44s(), 0, 12), 30), "That is too loud."),
    "silence": (
        lambda: audio.join(audio.cut(audio.speech_44s(), 0, 4), audio.silence(20)),
        "We do not hear you. Speak louder",
    ),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_a_hint_says_what_is_wrong_while_it_is(server: Server, make_key: MakeKey, tmp_path: Path, name: str) -> None:
    make, said = SOUNDS[name]
    heard = tmp_path / "heard.wav"
    heard.write_bytes(audio.encode(make(), "wav", rate=48_000))
    _, link = new_run(server, make_key)

    def errand(person: Visitor) -> None:
        person.goto(link)
        begin(person, person.page, "Your day")
        press(person, person.page, "Start recording")
        expect(person.page.locator("#hint")).to_contain_text(said, timeout=LONG)
        person.keep("hint")

    arguments = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={heard}",
    ]
    assert visit(server, tmp_path, errand, arguments=arguments, size=PHONE).complaints == []


def test_a_recording_is_kept_while_the_server_is_busy_or_says_nothing_and_is_sent_again(
    server: Server, make_key: MakeKey, tmp_path: Path
) -> None:
    run_id, link = new_run(server, make_key)
    tries: list[str] = []

    def fail_twice(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) == 1:
            route.fulfill(status=503)
        elif len(tries) > 2:
            route.continue_()  # the second is never answered

    def until_told(page: Page, count: int) -> None:
        page.wait_for_function("(count) => window.told.length >= count", arg=count, polling=50)

    def errand(person: Visitor) -> None:
        page = person.page
        page.clock.install()
        person.goto(link)
        version = page.evaluate("document.body.dataset.consentVersion")
        path = page.evaluate("document.body.dataset.consentPath")
        url = page.evaluate(
            "async ([path, version]) => (await import('/static/helios/activity/sending.js')).agree(path, version)",
            [path, version],
        )
        page.route("**/uploads/**", fail_twice)
        page.evaluate(SEND, url)
        until_told(page, 1)
        page.clock.fast_forward(1000)
        while len(tries) < 2:
            page.wait_for_timeout(20)
        page.clock.fast_forward(46_000)
        until_told(page, 2)
        page.clock.fast_forward(2000)
        until_told(page, 3)
        assert page.evaluate("window.told") == [1, 2, "sent"], "it waits longer from try to try"

    visit(server, tmp_path, errand)
    assert len(tries) == 3
    assert ModelRun.objects.get(id=run_id).recording_bytes == 4


def test_a_link_that_expires_while_it_is_open_says_what_to_do(
    server: Server, make_key: MakeKey, tmp_path: Path
) -> None:
    _, link = new_run(server, make_key)

    def errand(person: Visitor) -> None:
        page = person.page
        page.clock.install()
        person.goto(link)
        press(person, page, "I agree, continue")
        page.clock.fast_forward("01:00:01")
        alert = page.get_by_role("alert")
        expect(alert.get_by_role("heading")).to_have_text("This link has expired")
        expect(alert).to_contain_text("Ask for a new link where you got this one.")
        expect(page.get_by_role("button", name="Turn on the microphone")).to_be_hidden()
        person.keep("expired")

    assert visit(server, tmp_path, errand, size=PHONE).complaints == []

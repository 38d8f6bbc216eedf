"""A person at a browser, whose clicks are counted and whose every step leaves a screenshot and a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, ViewportSize, sync_playwright

from tests.browser import chromium
from tests.chaos.installation import Installation
from tests.conftest import Server

SIZE = ViewportSize(width=1440, height=900)


class Visitor:
    """Acts on one page, and notes what the browser complains of."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.clicks = 0
        self.complaints: list[str] = []  # errors of scripts, refused content, files that are missing
        self._folder, self._steps = folder, 0
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", self._miss)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(f"{said.text} ({said.location['url']})")

    def _miss(self, request: Request) -> None:
        # A player reads no more of a blob than it needs, and who goes on to the next page ends what this one asked.
        if not request.url.startswith("blob:") and request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.url}: {request.failure}")

    def goto(self, path: str) -> None:
        self.page.goto(path)
        self._keep("open")

    def click(self, target: Locator) -> None:
        """Once, on what a person sees under exactly one such name."""
        self.clicks += 1
        target.click()
        self.page.wait_for_load_state()
        self._keep("click")

    def type(self, text: str) -> None:
        """Into whatever has the focus: a field that needs a click first must cost one."""
        self.page.keyboard.insert_text(text)
        self._keep("type")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.page.wait_for_load_state()
        self._keep("press")

    def keep(self, what: str) -> None:
        """A screenshot of what has changed by itself."""
        self._keep(what)

    def _keep(self, what: str) -> None:
        self._steps += 1
        self.page.screenshot(path=self._folder / f"{self._steps:02}-{what}.png", full_page=True)


def visit(
    server: Server | Installation,
    folder: Path,
    errand: Callable[[Visitor], None],
    *,
    arguments: Sequence[str] = (),
    size: ViewportSize = SIZE,
    is_dark: bool = False,
    zone: str = "UTC",
) -> Visitor:
    """Whoever did the errand, in a fresh Chromium that was started with these `arguments`.

    In a thread of its own: Playwright runs an event loop in the thread that calls it, and Django refuses its database
    to such a thread, also to the fixtures that clean up.
    """

    def run() -> Visitor:
        with sync_playwright() as playwright:
            program = chromium.program()
            browser = playwright.chromium.launch(executable_path=program, args=[*chromium.ARGUMENTS, *arguments])
            context = browser.new_context(
                base_url=server.url, viewport=size, color_scheme="dark" if is_dark else "light", timezone_id=zone
            )
            context.tracing.start(screenshots=True, snapshots=True)
            visitor = Visitor(context.new_page(), folder)
            try:
                errand(visitor)
            finally:
                context.tracing.stop(path=folder / "trace.zip")
                browser.close()
        return visitor

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()

"""Opens pages and notes what is wrong with each: faults that axe finds, sideways scrolling, weight."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.conftest import CHECKOUT

AXE = (CHECKOUT / "tests/vendor/axe-core/axe.min.js").read_text()
RUN = """
async (tags) => (await axe.run({runOnly: tags, resultTypes: ["violations"]})).violations.flatMap((rule) =>
  rule.nodes.map((node) => `${rule.id} (${rule.help}): ${node.target.join(" ")}: ${node.failureSummary}`))
"""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
UNFOLD = "document.querySelectorAll('details').forEach((folded) => { folded.open = true; })"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
HEAVIEST_BYTES = 300_000  # transferred, with nothing in the cache


class Examiner:
    """What it finds is named by page, width, colours, rule and element."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        self._page, self._width = page, 0
        self._bytes = 0
        devtools = page.context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        devtools.on("Network.loadingFinished", self._weigh)

    def _weigh(self, event: dict[str, Any]) -> None:
        self._bytes += int(event["encodedDataLength"])

    def open(self, path: str, *, width: int = 390, status: int = 200) -> None:
        self._width, self._bytes = width, 0
        self._page.set_viewport_size({"width": width, "height": 844})
        answer = self._page.goto(path, wait_until="networkidle")
        assert answer is not None
        assert (answer.status, answer.request.redirected_from) == (status, None), path
        if self._bytes > HEAVIEST_BYTES:
            self.found.append(f"{path}: {self._bytes:,} bytes were transferred")
        assert self._bytes > 500, "nothing was weighed"
        self._page.evaluate(UNFOLD)
        self.look(path)

    def look(self, name: str) -> None:
        """At the page as it is now, in light and then in dark."""
        self._page.evaluate(AXE)  # the page's policy would refuse a script tag
        for colours in ("light", "dark"):
            self._page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
            where = f"{name.partition('?')[0]}, {self._width} px, {colours}"
            self.found += [f"{where}: {said}" for said in self._page.evaluate(RUN, WCAG)]
        self._page.emulate_media(color_scheme="light")
        if (over := self._page.evaluate(OVERFLOW)) > 0:
            self.found.append(f"{name}, {self._width} px: the page scrolls sideways by {over} px")

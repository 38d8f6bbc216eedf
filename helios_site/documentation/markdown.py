"""Markdown as HTML for pages with a strict policy: no raw HTML, no inline style, headings that can be linked to.

Documents of the checkout and the cards of models are rendered by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

# Where a relative target of a link or an image leads; None if it leads nowhere that a browser can go.
Address = Callable[[str], str | None]

_ELSEWHERE = re.compile(r"^(https?:|mailto:|//)")
_LANGUAGES = {
    "sh": "Shell",
    "console": "Terminal",
    "python": "Python",
    "javascript": "JavaScript",
    "json": "JSON",
    "html": "HTML",
}


@dataclass(frozen=True)
class Heading:
    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Rendered:
    title: str  # of the first heading of level 1, which is not in `html`
    html: str
    headings: tuple[Heading, ...]


def nowhere(target: str) -> None:
    """The `Address` of a text that stands alone."""


def slug(text: str) -> str:
    """The anchor of a heading, as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def render(text: str, address: Address = nowhere, *, section: str | None = None) -> Rendered:
    """A page. `section` renders what stands under that heading alone, with its headings lifted to it."""
    tokens = _parser().parse(text)
    if section is not None:
        tokens = _under(tokens, section)
    title, headings = _name_headings(tokens)
    _name_rows(tokens)
    for token in tokens:
        if token.children:
            token.children = _lead(token.children, address)
    html = _Renderer().render(tokens, _parser().options, {})
    return Rendered(title, html, tuple(headings))


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _under(tokens: Sequence[Token], section: str) -> list[Token]:
    """Tokens from the heading `section` up to the next one of its level. ValueError if there is none."""
    opening = [number for number, token in enumerate(tokens) if token.type == "heading_open"]
    start = next((number for number in opening if tokens[number + 1].content == section), None)
    if start is None:
        raise ValueError(f"no heading “{section}”")
    depth = int(tokens[start].tag[1])
    end = next((n for n in opening if n > start and int(tokens[n].tag[1]) <= depth), len(tokens))
    part = list(tokens[start:end])
    for token in part:
        if token.type.startswith("heading_"):
            token.tag = f"h{int(token.tag[1]) - depth + 1}"
    return part


def _name_headings(tokens: list[Token]) -> tuple[str, list[Heading]]:
    """Gives each heading its anchor, and takes the first of level 1 out: the page shows it as its own."""
    title, headings, taken = "", [], dict[str, int]()
    for number, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        inline = tokens[number + 1]
        text = _text(inline)
        if token.tag == "h1" and not title:
            title = text
            for part in tokens[number : number + 3]:
                part.hidden, part.content, part.children = True, "", []
            continue
        anchor = slug(text)
        taken[anchor] = taken.get(anchor, -1) + 1
        if taken[anchor]:
            anchor = f"{anchor}-{taken[anchor]}"
        token.attrSet("id", anchor)
        headings.append(Heading(int(token.tag[1]), text, anchor))
    return title, headings


def _name_rows(tokens: Sequence[Token]) -> None:
    """A table without a name above its first column has names of rows there; others have names of columns alone."""
    is_corner = names_rows = False
    for number, token in enumerate(tokens):
        if token.type == "tr_open":
            is_corner = True
        elif token.type in ("th_open", "td_open"):
            _align(token)
            closing = tokens[number + 2]
            if token.type == "th_open":
                is_empty = not tokens[number + 1].content
                if is_corner:
                    names_rows = is_empty
                if is_empty:
                    token.tag = closing.tag = "td"
                else:
                    token.attrSet("scope", "col")
            elif is_corner and names_rows:
                token.tag = closing.tag = "th"
                token.attrSet("scope", "row")
            is_corner = False


def _align(cell: Token) -> None:
    """Columns are aligned by a class: the policy of our pages refuses inline styles."""
    style = str(cell.attrs.pop("style", ""))
    if style == "text-align:right":
        cell.attrSet("class", "number")


def _lead(tokens: list[Token], address: Address) -> list[Token]:
    """Links and images of a line with addresses of ours; those that lead nowhere stay as their text alone."""
    kept: list[Token] = []
    open_links: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            target = _target(str(token.attrs["href"]), address)
            open_links.append(target is not None)
            if target is None:
                continue
            token.attrSet("href", target)
        elif token.type == "link_close" and not open_links.pop():
            continue
        elif token.type == "image":
            target = _target(str(token.attrs["src"]), address)
            if target is None:
                kept.append(Token("text", "", 0, content=token.content))
                continue
            token.attrSet("src", target)
        kept.append(token)
    return kept


def _target(target: str, address: Address) -> str | None:
    return target if target.startswith("#") or _ELSEWHERE.match(target) else address(target)


class _Renderer(RendererHTML):
    """Tables and samples scroll by themselves, also by keyboard; the page never scrolls sideways."""

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        above = [_text(tokens[n + 1]) for n in range(idx) if tokens[n].type == "heading_open"]
        label = escapeHtml(above[-1]) if above and above[-1] else "Table"
        return f'<div class="scroll" role="region" aria-label="{label}" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        language = tokens[idx].info.split(" ")[0]
        label = _LANGUAGES.get(language, "Text")
        return (
            f'<div class="sample" data-language="{label}"><pre role="region" aria-label="Sample: {label}" tabindex="0">'
            f"<code>{escapeHtml(tokens[idx].content)}</code></pre></div>\n"
        )

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return self.fence(tokens, idx, options, env)


def _text(inline: Token) -> str:
    """A line without its marks."""
    return "".join(child.content for child in inline.children or ())

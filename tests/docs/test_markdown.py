"""Markdown as HTML for a strict policy."""

from __future__ import annotations

import re

import pytest

from helios_site.documentation.markdown import Heading, render
from tests.pages import INLINE

HOSTILE = """# A <b>title</b>

<script>alert(1)</script> and <img src=x onerror=alert(1)> and [a](javascript:alert(1)) and <a href="x">b</a>

<div style="color: red">block</div>

```python"><script>
</code><script>alert(1)</script>
```

## A heading with `<script>` & "quotes"

| <i>a</i> | b |
| --- | ---: |
| <b>1</b> | 2 |
"""


def test_no_html_comes_through() -> None:
    made = render(HOSTILE)
    assert made.title == "A <b>title</b>"  # the template escapes it
    assert not [tag for tag in re.findall(r"<[^>]*>", made.html) if INLINE.search(tag)]
    for tag in ("<script", "<b>", "<i>", "<img", "<a ", "<div style"):
        assert tag not in made.html, tag
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in made.html
    assert 'aria-label="A heading with &lt;script&gt; &amp; &quot;quotes&quot;"' in made.html


def test_headings_have_the_anchors_of_code_hosts() -> None:
    made = render("# Title\n\n## What is kept, and how it goes\n\n### `GET /v1`\n\n## Twice\n\n## Twice\n")
    assert made.headings == (
        Heading(2, "What is kept, and how it goes", "what-is-kept-and-how-it-goes"),
        Heading(3, "GET /v1", "get-v1"),
        Heading(2, "Twice", "twice"),
        Heading(2, "Twice", "twice-1"),
    )
    assert made.title == "Title"
    assert "<h1" not in made.html
    assert '<h2 id="twice-1">Twice</h2>' in made.html


def test_a_section_is_lifted_to_a_page() -> None:
    text = "# All\n\n## One\n\nfirst\n\n## Two\n\nsecond\n\n### Part\n\n```sh\n## Three\n```\n\n## Three\n\nthird\n"
    made = render(text, section="Two")
    assert made.title == "Two"
    assert [heading.level for heading in made.headings] == [2]
    assert "second" in made.html
    assert "## Three" in made.html
    assert "first" not in made.html
    assert "third" not in made.html
    with pytest.raises(ValueError, match="no heading"):
        render(text, section="Four")


def test_links_lead_where_the_address_says_or_are_text() -> None:
    text = "[a](x.md#y) [b](z.toml) ![drawing](d.svg) ![lost](e.svg) [c](#here) [d](https://example.org)"
    made = render(text, {"x.md#y": "/docs/x#y", "d.svg": "/docs/d.svg"}.get)
    assert made.html == (
        '<p><a href="/docs/x#y">a</a> b <img src="/docs/d.svg" alt="drawing" /> lost <a href="#here">c</a> '
        '<a href="https://example.org">d</a></p>\n'
    )


def test_names_of_rows_and_columns_are_headers() -> None:
    made = render("| a | b |\n| --- | ---: |\n| 1 | 2 |\n\n|  | c |\n| --- | --- |\n| row | 3 |\n")
    assert '<th scope="col">a</th>' in made.html
    assert '<td class="number">2</td>' in made.html
    assert '<th scope="row">row</th>' in made.html
    assert '<td></td>\n<th scope="col">c</th>' in made.html
    assert "style" not in made.html

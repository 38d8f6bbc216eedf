"""What tests of pages share."""

from __future__ import annotations

import re
from typing import Any

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|href=\"javascript:", re.IGNORECASE)


def page_text(response: Any) -> str:
    """The text of a page without what differs in each."""
    return re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", response.content.decode())

"""What tests of pages share."""

from __future__ import annotations

import re

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|href=\"javascript:", re.IGNORECASE)

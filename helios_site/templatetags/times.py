"""`{% when moment %}`: a moment, in UTC until the page's script puts it into the zone of who looks at it."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def when(moment: datetime | None, absent: str = "-") -> SafeString | str:
    """The foot of every page names the zone."""
    if moment is None:
        return absent
    at = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" data-local>{} <span class="clock">{}</span></time>',
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        at.strftime("%Y-%m-%d"),
        at.strftime("%H:%M"),
    )
